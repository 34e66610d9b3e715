"""Where the keys and values of a JSON object stand."""

from __future__ import annotations

import json
import re

from pipedoctor.fixing.layout import Brackets, Change, Item, Layout
from pipedoctor.fixing.values import json_like

_BLANK = re.compile(r"[ \t\n]*")


class JsonLayout(Layout):
    """An object in JSON, in a text that is known to be sound."""

    def __init__(self, text: str) -> None:
        """Find the items of the outermost object."""
        decoder = json.JSONDecoder()
        items: list[Item] = []
        commas: list[int | None] = []
        begin = at = text.index("{") + 1
        at = _skip(text, at)
        while text[at] != "}":
            name, stop = decoder.raw_decode(text, at)
            value = _skip(text, _skip(text, stop) + 1)
            end = decoder.raw_decode(text, value)[1]
            items.append(Item(name, (at, stop), (value, end), end))
            at = _skip(text, end)
            commas.append(at if text[at] == "," else None)
            if text[at] == ",":
                at = _skip(text, at + 1)
        super().__init__(text, items)
        spans = [(item.key[0], item.end) for item in items]
        self._brackets = Brackets(text, begin, at, spans, commas)

    def without(self, item: Item) -> list[Change]:
        """Take it away with its comma."""
        return self._brackets.without(self.items.index(item))

    def with_more(self, name: str, value: object) -> list[Change]:
        """Add it as the last item is laid out."""
        colon = ": "
        if self.items:
            last = self.items[-1]
            between = self.text[last.key[1] : last.value[0]]
            colon = between if "\n" not in between else colon
        return self._brackets.with_more(f"{self.name(name, '')}{colon}{self.value(value)}")

    def name(self, name: str, written: str) -> str:  # noqa: ARG002 - JSON has one kind of quotes
        """Put it in double quotes."""
        return json.dumps(name, ensure_ascii=False)

    def value(self, value: object) -> str:
        """Write it as JSON does."""
        return json_like(value)


def _skip(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return blank.end() if blank else at
