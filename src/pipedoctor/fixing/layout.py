"""A text and the places in it that state arguments; what a dialect must know to change them."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipedoctor.fix import Edit
from pipedoctor.fixing import Refused

Change = tuple[int, int, str]
"""Where a change begins and ends, and the text that is to stand there."""


@dataclass(frozen=True)
class Item:
    """
    A key and its value, as they stand in a text: from where to where.

    `end` is where all that belongs to the value is over, a comma or comment left out.
    """

    name: str
    key: tuple[int, int]
    value: tuple[int, int]
    end: int


class Layout(ABC):
    """The arguments of a text in one dialect, in the order in which they stand."""

    def __init__(self, text: str, items: Sequence[Item]) -> None:
        """Take a text whose lines end with a line feed, and its items."""
        self.text = text
        self.items = items

    @abstractmethod
    def without(self, item: Item) -> list[Change]:
        """Return the changes that take an item away."""

    @abstractmethod
    def with_more(self, name: str, value: object) -> list[Change]:
        """Return the changes that add one behind the others."""

    @abstractmethod
    def name(self, name: str, written: str) -> str:
        """Return a key as it is written where this one stands."""

    @abstractmethod
    def value(self, value: object) -> str:
        """Return a value as it is written."""

    def changes(self, edit: Edit) -> list[Change]:
        """
        Return the changes that carry out an edit; of a key stated several times, the last counts.

        Raises:
            Refused: It can't be carried out here.

        """
        stated = [item for item in self.items if item.name == edit.key]
        if not stated:
            if edit.action in {"rename", "delete"}:
                raise Refused(f"{edit.key} is not stated there")
            return self.with_more(edit.key, edit.value)
        *_, item = stated
        if edit.action in {"set", "add"}:
            return self.put(item, edit.value)
        if edit.action == "delete":
            return self.without(item)
        if any(other.name == edit.name for other in self.items):
            raise Refused(f"{edit.name} is stated there as well")
        begin, end = item.key
        return [(begin, end, self.name(edit.name, self.text[begin:end]))]

    def put(self, item: Item, value: object) -> list[Change]:
        """Return the changes that replace the value of an item."""
        begin, end = item.value
        return [(begin, end, self.value(value))]


@dataclass(frozen=True)
class Brackets:
    """
    Items between brackets, with commas between them.

    `begin` is right behind the opening bracket, `end` at the closing one; `commas` has the place
    of the comma behind each item, None where there is none. `comment` is what begins a comment.
    """

    text: str
    begin: int
    end: int
    items: Sequence[tuple[int, int]]
    commas: Sequence[int | None]
    comment: str | None = None

    def without(self, place: int) -> list[Change]:
        """Return the changes that take an item away, with its line if nothing else is on it."""
        begin, end = self.items[place]
        comma = self.commas[place]
        stop = end if comma is None else comma + 1
        before = self.commas[place - 1] if place else None
        changes: list[Change] = []
        rest = self._rest(stop)
        line = self.text.rfind("\n", 0, begin) + 1
        if not self.text[line:begin].strip() and rest is not None and line > self.begin:
            changes = [(line, rest + 1, "")]
            if comma is None and before is not None:
                changes.insert(0, (before, before + 1, ""))
        elif comma is not None:
            stop += self._blanks(stop)
            if self.text[stop : stop + 1] == "\n":  # nor is a blank left at the end of the line
                begin = len(self.text[:begin].rstrip(" \t"))
            changes = [(begin, stop, "")]
        elif before is None:
            changes = [(begin, end, "")]
        elif self.comment is not None and self.comment in self.text[before:begin]:
            changes = [(before, before + 1, ""), (begin, end, "")]
        else:
            changes = [(before, end, "")]
        return changes

    def with_more(self, entry: str) -> list[Change]:
        """Return the changes that add an item behind the last, on a line of its own if that is."""
        if not self.items:
            return [(self.begin, self.begin, entry)]
        begin, end = self.items[-1]
        comma = self.commas[-1]
        stop = end if comma is None else comma + 1
        line = self.text.rfind("\n", 0, begin) + 1
        indent = self.text[line:begin]
        if indent.strip() or line <= self.begin:
            gap = self._gap()
            return [(stop, stop, f"{gap}{entry}" if comma is not None else f",{gap}{entry}")]
        rest = self._rest(stop)
        rest = stop if rest is None else rest
        if comma is not None:
            return [(rest, rest, f"\n{indent}{entry},")]
        if not self.text[stop:rest].strip():
            return [(stop, stop, f",\n{indent}{entry}")]
        return [(stop, stop, ","), (rest, rest, f"\n{indent}{entry}")]

    def _gap(self) -> str:
        """Return what stands between a comma and the next item on its line."""
        if len(self.items) > 1 and (comma := self.commas[-2]) is not None:
            gap = self.text[comma + 1 : self.items[-1][0]]
            if not gap.strip(" "):
                return gap
        return " "

    def _rest(self, at: int) -> int | None:
        """Return the end of the line, if nothing but a comment follows on it."""
        comment = "" if self.comment is None else rf"(?:{self.comment}[^\n]*)?"
        found = re.compile(rf"[ \t]*{comment}(?=\n)").match(self.text, at)
        return found.end() if found and found.end() < self.end else None

    def _blanks(self, at: int) -> int:
        found = re.compile(r"[ \t]*").match(self.text, at)
        return found.end() - at if found else 0


def applied(raw: str, changes: Iterable[Change]) -> str:
    """
    Return a text with changes made that were worked out with line feeds as its only line ends.

    All else stays as it is; what is new gets the line ends that the text has.
    """
    newline = "\r\n" if "\r\n" in raw else "\r" if "\r" in raw else "\n"
    places = _places(raw)
    for begin, end, new in sorted(changes, reverse=True):
        if places is not None:
            begin, end = places[begin], places[end]  # noqa: PLW2901 - the same place in `raw`
        raw = raw[:begin] + new.replace("\n", newline) + raw[end:]
    return raw


def normalised(raw: str) -> str:
    """Return a text whose lines end with a line feed."""
    return raw.replace("\r\n", "\n").replace("\r", "\n")


def _places(raw: str) -> list[int] | None:
    """Return where each character of the normalised text stands; None if all stay in place."""
    if "\r\n" not in raw:
        return None
    places = [at for at, char in enumerate(raw) if char != "\n" or raw[at - 1 : at] != "\r"]
    return [*places, len(raw)]
