"""Where the keys and values of a YAML mapping stand, as PyYAML marks them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from pipedoctor.fixing import Refused
from pipedoctor.fixing.layout import Brackets, Change, Item, Layout
from pipedoctor.fixing.values import json_like

_WORD = re.compile(r"[A-Za-z_][\w./-]*")


class YamlLayout(Layout):
    """A mapping in YAML, in a text that is known to be sound; a key that is merged in is no item."""

    def __init__(self, text: str) -> None:
        """Find the items of the outermost mapping."""
        events = yaml.parse(text, Loader=yaml.SafeLoader)
        root = next(event for event in events if isinstance(event, yaml.MappingStartEvent))
        super().__init__(text, list(_items(text, events)))
        self._root = _mark(root.start_mark)
        self._brackets = self._flow() if root.flow_style else None

    def without(self, item: Item) -> list[Change]:
        """Take its lines away."""
        if self._brackets is not None:
            return self._brackets.without(self.items.index(item))
        begin = self.text.rfind("\n", 0, item.key[0]) + 1
        if self.text[begin : item.key[0]].strip():
            raise Refused(f"something else stands before {item.name} on its line")
        stop = self._line_end(item.end)
        return [(begin, min(stop + 1, len(self.text)), "")]

    def with_more(self, name: str, value: object) -> list[Change]:
        """Add a line behind the last item, indented like it."""
        entry = f"{self.name(name, '')}: {self.value(value)}"
        if self._brackets is not None:
            return self._brackets.with_more(entry)
        last = self.items[-1]
        begin = self.text.rfind("\n", 0, last.key[0]) + 1
        stop = self._line_end(last.end)
        return [(stop, stop, f"\n{' ' * (last.key[0] - begin)}{entry}")]

    def name(self, name: str, written: str) -> str:
        """Keep the quotes that the key has."""
        return f"{written[0]}{name}{written[0]}" if written[:1] in {'"', "'"} else name

    def value(self, value: object) -> str:
        """Write it as JSON does, a plain word without quotes."""
        plain = isinstance(value, str) and _WORD.fullmatch(value)
        return str(value) if plain and yaml.safe_load(str(value)) == value else json_like(value)

    def put(self, item: Item, value: object) -> list[Change]:
        """Replace the value; the new one stands on the line of its key."""
        begin, end = item.value
        if begin == end:  # there is none, and no space behind the colon
            return [(begin, end, f" {self.value(value)}")]
        colon = self.text.index(":", item.key[1]) + 1
        line = self.text.find("\n", colon, begin)
        if line < 0 or self._brackets is not None:
            return [(begin, end, self.value(value))]
        return [(colon, colon, f" {self.value(value)}"), (line, end, "")]

    def _line_end(self, at: int) -> int:
        end = self.text.find("\n", at)
        return len(self.text) if end < 0 else end

    def _flow(self) -> Brackets:
        spans = [(item.key[0], item.end) for item in self.items]
        places = [_skip(self.text, end) for _, end in spans]
        commas = [at if self.text[at] == "," else None for at in places]
        end = places[-1] if places else self._root + 1
        if commas and commas[-1] is not None:
            end = commas[-1] + 1
        end = _skip(self.text, end)
        return Brackets(self.text, self._root + 1, end, spans, commas, "#")


def _items(text: str, events: Iterator[yaml.Event]) -> Iterator[Item]:
    """Yield the items of the mapping that has just begun."""
    for key in events:
        if isinstance(key, yaml.MappingEndEvent):
            return
        first = last = next(events)
        depth = _deeper(first)
        end = _end(text, first)
        while depth:
            last = next(events)
            depth += _deeper(last)
            end = max(end, _end(text, last))
        begin = _mark(first.start_mark)
        if isinstance(key, yaml.ScalarEvent):
            span = _mark(key.start_mark), _mark(key.end_mark)
            if begin == end:  # nothing is stated
                begin = end = text.find(":", span[1]) + 1
            yield Item(key.value, span, (begin, end), end)


def _mark(mark: Any) -> int:
    """Return the place of a mark, which every event of a text has."""
    return int(mark.index)


def _deeper(event: yaml.Event) -> int:
    return isinstance(event, yaml.CollectionStartEvent) - isinstance(
        event, yaml.CollectionEndEvent
    )


def _end(text: str, event: yaml.Event) -> int:
    """Return where what an event is about ends; that of a block says only where the next begins."""
    end = _mark(event.end_mark)
    if isinstance(event, yaml.CollectionStartEvent):
        return 0
    if isinstance(event, yaml.CollectionEndEvent):
        return end if end > _mark(event.start_mark) else 0
    if isinstance(event, yaml.ScalarEvent) and event.style in {"|", ">"}:
        return len(text[:end].rstrip("\n"))
    return end


def _skip(text: str, at: int) -> int:
    """Return where the next thing begins that is no blank and no comment."""
    blank = re.compile(r"(?:[ \t\n]+|(?<=[ \t\n])#[^\n]*)*").match(text, at)
    return blank.end() if blank else at
