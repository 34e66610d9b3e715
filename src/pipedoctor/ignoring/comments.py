"""
Comments that ask for findings to be ignored, in Python, YAML and TOML; JSON has no comments.

    # pipedoctor: ignore[HYP003] on this line
    # pipedoctor: ignore-file[HYP003,CKP] in this file, because …
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipedoctor.finding import Location

LARGEST = 1 << 22
"""A larger file is no config and no script; so much of it is searched."""

_WISH = re.compile(
    r"#\s*pipedoctor:\s*(?P<word>ignore-file|ignore)\b(?:\[(?P<codes>[^\]]*)\])?(?P<rest>[^#]*)"
)
# What may hold a sign of a comment that is none, then the comment itself.
_TOML = re.compile(
    r'"""(?:\\.|[^\\])*?"""'
    r"|'''.*?'''"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|(?P<comment>#[^\n]*)",
    re.DOTALL,
)
# A quotation begins a value, and a comment stands apart: it's # neither "in" words#like this.
_YAML = re.compile(
    r"""(?:(?<=[\s\[{,:])|^)"(?:\\.|[^"\\\n])*\""""
    r"""|(?:(?<=[\s\[{,:])|^)'(?:[^'\n]|'')*'"""
    r"|(?:(?<=\s)|^)(?P<comment>#[^\n]*)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Comment:
    """
    One wish: the codes of checks, or their beginnings, on its line or in the whole file.

    `reason` is what else the comment says.
    """

    where: Location
    codes: tuple[str, ...]
    whole_file: bool
    reason: str

    def covers(self, code: str, line: int | None) -> str | None:
        """Return the word in it that speaks of a finding on this line, if one does."""
        if not self.whole_file and line != self.where.line:
            return None
        return next((word for word in self.codes if word and code.startswith(word)), None)


def read(path: str) -> list[Comment]:
    """Return the wishes in a file, in the order of their lines; none if it can't be read."""
    try:
        with open(path, "rb") as file:
            raw = file.read(LARGEST)
    except OSError:
        return []
    if b"pipedoctor:" not in raw:
        return []
    text = raw.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    return [
        wish for line, comment in _comments(path, text) for wish in _wishes(path, line, comment)
    ]


def _comments(path: str, text: str) -> Iterator[tuple[int, str]]:
    suffix = os.path.splitext(path)[1].lower()
    if suffix == ".py":
        yield from _of_python(text)
    elif suffix in {".toml", ".yaml", ".yml"} or not re.match(r"\s*[{\[]", text):
        pattern = _TOML if suffix == ".toml" else _YAML
        for match in pattern.finditer(text):
            if "pipedoctor:" in (match["comment"] or ""):
                yield text.count("\n", 0, match.start()) + 1, match["comment"]


def _of_python(text: str) -> Iterator[tuple[int, str]]:
    import io
    import tokenize

    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string
    except (tokenize.TokenError, SyntaxError):
        return  # no Python: whoever runs it is told so


def _wishes(path: str, line: int, comment: str) -> Iterator[Comment]:
    for match in _WISH.finditer(comment):
        words = (word.strip().upper() for word in (match["codes"] or "").split(","))
        yield Comment(
            where=Location(file=path, line=line, source=comment.strip()),
            codes=tuple(dict.fromkeys(word for word in words if word)),
            whole_file=match["word"] == "ignore-file",
            reason=match["rest"].strip(" \t:-\u2013\u2014"),
        )
