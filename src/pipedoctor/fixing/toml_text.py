"""Where the keys and values of a TOML document stand that belong to no table."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from pipedoctor.fixing import Refused
from pipedoctor.fixing.layout import Change, Item, Layout
from pipedoctor.fixing.values import written

_STRING = (
    r'"{3}(?:\\.|[^\\])*?"{3,5}'
    r"|'{3}.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
)
_BLANK = re.compile(r"(?:[ \t\n]+|#[^\n]*)*")
_KEY = re.compile(r"([\w-]+|\"(?:\\.|[^\"\\\n])*\"|'[^'\n]*')(?=[ \t]*=)")
_EQUALS = re.compile(r"[ \t]*=[ \t]*")
_PIECE = re.compile(rf"(?:{_STRING})|#[^\n]*|[^\"'#\[\]{{}}\n]+|.|\n", re.DOTALL)
_BARE = re.compile(r"[A-Za-z0-9_-]+")


class TomlLayout(Layout):
    """A TOML document that is known to be sound, up to its first table."""

    def __init__(self, text: str) -> None:
        """Find the statements."""
        self._tables = len(text)
        super().__init__(text, list(self._statements(text)))

    def without(self, item: Item) -> list[Change]:
        """Take its lines away."""
        begin = self.text.rfind("\n", 0, item.key[0]) + 1
        return [(begin, min(self._line_end(item.end) + 1, len(self.text)), "")]

    def with_more(self, name: str, value: object) -> list[Change]:
        """Add a line behind the last statement, before any table."""
        equals, entry = " = ", self.value(value)
        if not self.items:
            at = self.text.rfind("\n", 0, self._tables) + 1
            return [(at, at, f"{name}{equals}{entry}\n")]
        last = self.items[-1]
        begin = self.text.rfind("\n", 0, last.key[0]) + 1
        between = self.text[last.key[1] : last.value[0]]
        stop = self._line_end(last.end)
        line = f"\n{self.text[begin : last.key[0]]}{self.name(name, '')}"
        return [(stop, stop, f"{line}{between if len(between) == 1 else equals}{entry}")]

    def name(self, name: str, written: str) -> str:
        """Keep the quotes that the key has."""
        if written[:1] in {'"', "'"}:
            return f"{written[0]}{name}{written[0]}"
        return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)

    def value(self, value: object) -> str:
        """Write it as TOML does, which has nothing that says nothing."""
        if value is None:
            raise Refused("TOML has no word for nothing")
        return written(
            value, ("true", "false", ""), lambda key, text: f"{self.name(key, '')} = {text}"
        )

    def _line_end(self, at: int) -> int:
        end = self.text.find("\n", at)
        return len(self.text) if end < 0 else end

    def _statements(self, text: str) -> Iterator[Item]:
        at = _skip(text, 0)
        while at < len(text) and text[at] != "[":
            key = _KEY.match(text, at)
            equals = _EQUALS.match(text, key.end()) if key else None
            end = _value_end(text, equals.end() if equals else at)
            if key and equals:
                name = key[1]
                name = _plain(name) if name[0] in "\"'" else name
                yield Item(name, key.span(), (equals.end(), end), end)
            at = _skip(text, end)
        self._tables = at


def _plain(name: str) -> str:
    """Return a key without its quotes."""
    if name[0] == "'":
        return name[1:-1]
    try:
        plain = json.loads(name)
    except ValueError:  # an escape that JSON does not have: none of our keys has any
        return name
    return plain if isinstance(plain, str) else name


def _value_end(text: str, at: int) -> int:
    """Return where a value is over; a comment behind it is none of it."""
    depth, end = 0, at
    while at < len(text):
        piece = _PIECE.match(text, at)
        assert piece is not None, "any character is a piece"
        word = piece[0]
        if depth <= 0 and (word == "\n" or word[0] == "#"):
            break
        depth += (word in {"[", "{"}) - (word in {"]", "}"})
        at = piece.end()
        if word.strip() and word[0] != "#":
            end = at - (len(word) - len(word.rstrip()))
    return end


def _skip(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return blank.end() if blank else at
