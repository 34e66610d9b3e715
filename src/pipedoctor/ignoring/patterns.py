"""Which findings are ignored for the file they are in: `per-file-ignores`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class PerFile:
    """Codes, or their beginnings, that are ignored in files of this pattern, seen from `root`."""

    pattern: str
    codes: tuple[str, ...]
    root: str

    def covers(self, code: str, file: str | None) -> bool:
        """Whether a finding of this code in this file is ignored."""
        return file is not None and code.startswith(self.codes or ("\0",)) and self._fits(file)

    def _fits(self, file: str) -> bool:
        """Whether the pattern stands for the file's path, or for its name alone."""
        path = os.path.abspath(file).replace(os.sep, "/")
        whole = os.path.join(self.root, self.pattern).replace(os.sep, "/")
        named = "/" not in self.pattern and matches(self.pattern, os.path.basename(path))
        return named or matches(os.path.normpath(whole), path)


def matches(pattern: str, path: str) -> bool:
    """
    Whether a pattern stands for a path: `*` for anything, `**/` for any folders or none.

    As in ruff, `*` reaches into folders: `configs/*.json` stands for `configs/a/b.json` too.
    """
    pieces = re.findall(r"\*\*/|\*+|\?|\[[!^]?\]?[^\]]+\]|.", pattern, re.DOTALL)
    return re.fullmatch("".join(map(_translated, pieces)), path, re.DOTALL) is not None


def _translated(piece: str) -> str:
    if piece == "**/":
        return "(?:.*/)?"
    if piece.startswith("*"):
        return ".*"
    if piece == "?":
        return "[^/]"
    if len(piece) > 1:
        inner = piece[1:-1].replace("\\", r"\\")
        sign = "^" if inner[0] in "!^" else ""
        inner = inner[len(sign) :].replace("[", r"\[").replace("]", r"\]")
        return f"[{sign}{inner}]" if _is_class(sign + inner) else re.escape(piece)
    return re.escape(piece)


def _is_class(inner: str) -> bool:
    """Whether it makes a class of characters; "z-a" does not."""
    try:
        re.compile(f"[{inner}]")
    except re.error:
        return False
    return True


def pairs(text: str) -> Iterable[tuple[str, list[str]]]:
    """
    Return patterns with their codes from the command line: `a.json:HYP,LAB001,b/*.yaml:CKP`.

    Raises:
        ValueError: A code comes before any pattern, or a pattern has no code.

    """
    found: list[tuple[str, list[str]]] = []
    for word in filter(None, map(str.strip, text.split(","))):
        pattern, colon, code = word.rpartition(":")
        if colon:
            found.append((pattern, [code.strip().upper()]))
        elif found:
            found[-1][1].append(word.upper())
        else:
            raise ValueError(
                f"{word!r} has no pattern; write PATTERN:CODES, such as old/*.json:HYP"
            )
    if not found or any(not pattern or not all(codes) for pattern, codes in found):
        raise ValueError(f"{text!r} is no PATTERN:CODES, such as old/*.json:HYP,LAB001")
    return found
