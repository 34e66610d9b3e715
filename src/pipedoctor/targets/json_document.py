"""Configs in JSON: values by the standard parser, lines of keys by one scan, plain words on faults."""

from __future__ import annotations

import json
import re
from typing import Any

from pipedoctor.targets import TargetError
from pipedoctor.targets.document import Parsed, mapping_expected
from pipedoctor.targets.source import Source, shown

MOST_DIGITS = 400
"""A float ends at 309 digits; longer numbers take time that grows with the square."""

MOST_KEYS = 20_000
"""Far beyond any config; a scan of more takes seconds."""

_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_TOKEN = re.compile(rf"({_STRING})(\s*:)?|[\[\]{{}}]")
_WORD = re.compile(r"[^\s,:\]}\"']{1,40}")
_LITERALS = {
    "true": "true",
    "false": "false",
    "none": "null",
    "null": "null",
    "nan": "NaN",
    "inf": "Infinity",
    "infinity": "Infinity",
}


def parse(source: Source) -> Parsed:
    """
    Return the top-level keys and values.

    Raises:
        TargetError: The text is no JSON, or no object.

    """
    text = source.text
    try:
        values = json.loads(text, parse_int=_whole)
    except json.JSONDecodeError as error:
        offset, fault = _explain(text, error)
        raise source.error(offset, fault) from None
    except _TooLongError as error:
        raise source.error(text.find(str(error)), _too_long(str(error))) from None
    if not isinstance(values, dict):
        raise mapping_expected(source, values)
    if len(values) > MOST_KEYS:
        raise TargetError(
            f"{shown(source.file)} has {len(values):,} keys, too many for a config; "
            "name the file that holds the arguments"
        )
    if "\\u" in text:
        _require_whole_characters(values, source)
    return Parsed(values, _keys(text))


def _keys(text: str) -> list[tuple[str, int]]:
    """Return the keys of the outermost object, in a text that is known to be sound."""
    keys = []
    depth = 0
    for token in _TOKEN.finditer(text):
        char = text[token.start()]
        if char in "[{":
            depth += 1
        elif char in "]}":
            depth -= 1
        elif token[2] and depth == 1:
            keys.append((json.loads(token[1]), token.start()))
    return keys


class _TooLongError(Exception):
    """A whole number of more digits than any setting has."""


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise _TooLongError(digits)
    return int(digits)


def _too_long(digits: str) -> str:
    return f"the number {digits[:8]}… has {len(digits):,} digits; shorten it"


def _require_whole_characters(values: dict[str, Any], source: Source) -> None:
    """Refuse the one kind of text that JSON can write and nothing can print or open."""
    try:
        json.dumps(values, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise TargetError(
            f"{shown(source.file)} holds half of a surrogate pair (\\ud800 to \\udfff); "
            "write the character itself"
        ) from None


def _explain(text: str, error: json.JSONDecodeError) -> tuple[int, str]:
    """Return where a fault is and, in one clause each, what it is and what to do."""
    at = error.pos
    if error.msg.startswith("Invalid control"):
        return at, _control(text[at])
    if error.msg.startswith("Invalid \\"):
        return at, 'JSON reads a backslash as an escape; write "\\\\" for it, or "/" in a path'
    if error.msg.startswith("Unterminated string"):
        return at, "the string that begins here is not closed; add the double quote"
    while at < len(text) and text[at].isspace():
        at += 1
    if text.startswith(("#", "//", "/*"), at):
        return at, "JSON has no comments; remove this one"
    if error.msg.startswith("Extra data"):
        return at, "something follows the closing brace; a config is one object, so remove it"
    last = len(text[:at].rstrip()) - 1
    if at == len(text):
        return last, "the file ends too early; add the rest, at least the closing brace"
    return _structure(text, at, last, error.msg)


def _structure(text: str, at: int, last: int, message: str) -> tuple[int, str]:
    if message.startswith("Illegal trailing comma"):  # Python 3.13 points at the comma
        last, at = at, len(text) - len(text[at + 1 :].lstrip())
    if text[last] == "," and text[at] in "}]":
        return last, f"the comma before the closing {text[at]} is one too many; remove it"
    if text[at] == "'":
        return at, "JSON takes double quotes only; replace the single ones"
    return _misplaced(text, at, last, message)


def _misplaced(text: str, at: int, last: int, message: str) -> tuple[int, str]:
    """Explain what stands where a key, a colon, a comma or a value should."""
    found = _WORD.match(text, at)
    word = found[0] if found else text[at]
    if "',' delimiter" in message:
        if last + 1 == at and word[0] in "._0123456789eExXoObB":
            return at, "this is no JSON number; write it like 1000, 0.5 or 5e-5"
        if word[0] in '"{[-' or word.isalnum():
            string = re.compile(_STRING).match(text, at)
            word = string[0][:40] if string else word
            place = "at the end of this line" if "\n" in text[last:at] else f"before {shown(word)}"
            return last, f"a comma is missing {place}; add it"
        return at, f"{shown(word)} stands where a comma should; replace it"
    if "':' delimiter" in message:
        return at, f"{shown(word)} stands where the colon after a key should; write a colon"
    if "property name" in message:
        if word in {",", ":"}:
            return at, f"a key is missing before this {word}; remove it or write the key"
        return at, f'the key {shown(word)} needs double quotes; write "{shown(word)}"'
    if word.lower() in _LITERALS:
        return at, f"JSON does not know {word}; write {_LITERALS[word.lower()]}"
    if word in {"}", "]", ",", ":"}:
        return last, f"a value is missing before {word}; write one, or remove the key"
    if word[0] in "+.-" or word[0].isdigit():
        return at, f"{shown(word)} is no JSON number; write it like 1000, 0.5 or 5e-5"
    return at, f'the text {shown(word)} needs double quotes; write "{shown(word)}"'


def _control(char: str) -> str:
    if char == "\n":
        return "the string is not closed on this line; add the double quote"
    if char == "\t":
        return "a string can't hold a tab as such; write \\t"
    return f"a string can't hold the character {char!r} as such; write it as \\u{ord(char):04x}"
