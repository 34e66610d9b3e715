"""Configs in TOML: values by the standard parser, lines of keys by a scan of the statements."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from pipedoctor.targets import TargetError
from pipedoctor.targets.document import Parsed
from pipedoctor.targets.source import MIB, Source, shown

MOST_BYTES = MIB
"""The parser is written in Python and reads about a megabyte a second."""

MOST_DOTS = 50
"""In one key; the parser's time grows with their square."""

_PART = re.compile(r"[\w-]+|\"(?:\\.|[^\"\\\n])*\"|'[^'\n]*'")
_HEADER = re.compile(r"\[\[?[ \t]*")
_BLANK = re.compile(r"(?:\s+|#[^\n]*)*")
_RUN = re.compile(r"#[^\n]*|[^\[\]{}\"'#=,\n]+")
_QUOTE = re.compile(r"\"{3}|'{3}|[\"']")
_CLOSING = {
    '"""': re.compile(r'(?:\\.|[^"\\]|"(?!""))*"""(?:""?)?', re.DOTALL),
    "'''": re.compile(r"(?:[^']|'(?!''))*'''(?:''?)?"),
    '"': re.compile(r'(?:\\.|[^"\\\n])*"'),
    "'": re.compile(r"[^'\n]*'"),
}
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")

# The parser's words for a fault, and ours.
_FAULTS = (
    (
        "Invalid value",
        "this value is no TOML; put texts in double quotes, and write true or false",
    ),
    ("Expected '='", "an equals sign is missing; write key = value"),
    ("Cannot overwrite", "this key is stated twice; remove one of them"),
    ("twice", "this table is stated twice; remove one of them"),
    ("Unescaped '\\'", "a backslash in double quotes; use single quotes instead"),
    ("Invalid hex value", "a backslash in double quotes; use single quotes instead"),
    ("Unterminated string", "the string is not closed; add the quote"),
    ("Expected \"'", "the string is not closed; add the quote"),
    ("Exceeds the limit", "a number has thousands of digits; shorten it"),
    ("Expected newline", "one value a line; remove what follows it, or put the text in quotes"),
    ("Unclosed array", "the list is not closed; add the closing ]"),
    ("Illegal character '\\n'", "the string is not closed on this line; add the quote"),
)


def parse(source: Source) -> Parsed:
    """
    Return the top-level keys and values; a table is the value of its name.

    Raises:
        TargetError: The text is no TOML.

    """
    if len(source.text) > MOST_BYTES:
        raise TargetError(
            f"{shown(source.file)} has {len(source.text) / 1e6:.1f} MB, too much for a TOML "
            "config; name the file that holds the arguments"
        )
    names = list(_names(source))
    try:
        values = _loads(source.text)
    except ValueError as error:
        raise _explain(str(error), source) from None
    if not values:
        raise TargetError(
            f"{shown(source.file)} is empty; write the arguments of the training into it"
        )
    first: dict[str, int] = {}
    for name, offset in names:
        first.setdefault(_decoded(name), offset)
    return Parsed(values, list(first.items()))


def _loads(text: str) -> dict[str, Any]:
    toml = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    values: dict[str, Any] = toml.loads(text)
    return values


def _decoded(name: str) -> str:
    """Return a key as the parser understands it."""
    return next(iter(_loads(f"{name} = 0"))) if name[0] in "\"'" else name


def _names(source: Source) -> Iterator[tuple[str, int]]:
    """Yield the first part of the name of each statement that adds to the top level."""
    text = source.text
    at = 0
    in_table = False
    while at < len(text):
        blank = _BLANK.match(text, at)
        at = blank.end() if blank else at
        header = _HEADER.match(text, at)
        name = _PART.match(text, header.end() if header else at)
        if name and (header or not in_table):
            yield name[0], name.start()
        in_table = in_table or header is not None
        at = _statement_end(source, at)


def _statement_end(source: Source, at: int) -> int:
    """Return where the statement that begins at `at` is over, strings and lists skipped."""
    text = source.text
    depth = dots = 0
    while at < len(text):
        char = text[at]
        if run := _RUN.match(text, at):
            dots += run[0].count(".") if char != "#" else 0
            if dots > MOST_DOTS:
                raise source.error(at, f"this key has more than {MOST_DOTS} dots; shorten it")
            at = run.end()
            continue
        if quote := _QUOTE.match(text, at):
            closing = _CLOSING[quote[0]].match(text, quote.end())
            if closing is None:
                return len(text)  # the parser will say so
            at = closing.end()
            continue
        at += 1
        if char == "\n" and depth <= 0:
            return at
        dots = 0
        depth += (char in "[{") - (char in "]}")
    return at


def _explain(message: str, source: Source) -> TargetError:
    """Return the error in plain words, with the cure, at the line to change."""
    place = _PLACE.search(message)
    problem = _PLACE.sub("", message)
    fault = next(
        (ours for theirs, ours in _FAULTS if theirs in problem),
        f"this is no TOML ({shown(problem)}); correct the line",
    )
    if place is None:
        return TargetError(f"{shown(source.file)}: {fault}")
    line = int(place[1]) if place[1] else source.line(len(source.text.rstrip()))
    return TargetError(f"{shown(source.file)}:{line}: {fault}")
