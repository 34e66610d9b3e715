"""Counting plain Python values: how often each occurs, and in which rows first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from pipedoctor.fact import UNKNOWN, Unavailable
from pipedoctor.facts.labels import Labels

SHOWN = 3
"""The rows that are named for each value."""

KINDS = {int: "int", float: "float", str: "text", bool: "bool"}


@dataclass(frozen=True)
class Count:
    """What labels are and how often each occurs; the names are those of the fact `Labels`."""

    kind: str
    missing: int
    lists: bool
    width: int | None
    """The common length of lists, 0 if they differ; None where there are no lists."""
    tally: Mapping[Any, tuple[int, list[int]]]
    hot: Mapping[int, tuple[int, ...]] = field(default_factory=dict)

    @property
    def _few(self) -> bool:
        return len(self.tally) <= Labels.MOST_DISTINCT and self.kind != "other"

    @property
    def counts(self) -> dict[Any, int]:
        """How often each occurs, where they are not too many to tell."""
        return (
            {value: number for value, (number, _) in self.tally.items()} if self._few else UNKNOWN
        )

    @property
    def examples(self) -> dict[Any, tuple[int, ...]]:
        """The first rows that hold each."""
        shown = self.tally.items() if self._few else ()
        return {value: tuple(rows) for value, (_, rows) in shown}

    @property
    def distinct(self) -> int:
        """How many there are."""
        return UNKNOWN if self.kind == "other" else len(self.tally)

    @property
    def minimum(self) -> Any:
        """The smallest number."""
        return min(self.tally) if self.tally and self.kind in {"int", "float"} else UNKNOWN

    @property
    def maximum(self) -> Any:
        """The largest number."""
        return max(self.tally) if self.tally and self.kind in {"int", "float"} else UNKNOWN


def count(values: Mapping[int, Any]) -> Count:
    """Count labels by row: single values, or lists of them."""
    held = {row: None if missing(value) else value for row, value in values.items()}
    present = [value for value in held.values() if value is not None]
    lists = bool(present) and all(type(value) in {list, tuple} for value in present)
    widths = {len(value) for value in present} if lists else set()
    single = len(widths) == 1 and len(present) == len(held)
    return Count(
        kind=kind_of(chain.from_iterable(present) if lists else present),
        missing=len(held) - len(present),
        lists=lists,
        width=(widths.pop() if len(widths) == 1 else 0) if lists else None,
        tally=tally(held, lists=lists),
        hot=hot(held) if single else {},
    )


def hot(rows: Mapping[int, Any]) -> dict[int, tuple[int, ...]]:
    """
    Return, for rows of zeros and a single one, the first that have it at each place.

    Empty where any row is something else.
    """
    found: dict[int, list[int]] = {}
    for number, row in rows.items():
        if len(row) < 2 or any(item not in (0, 1) for item in row) or sum(row) != 1:
            return {}
        shown = found.setdefault(list(row).index(1), [])
        if len(shown) < SHOWN:
            shown.append(number)
    return {place: tuple(found[place]) for place in sorted(found)}


def missing(value: object) -> bool:
    """Whether there is no value: None, or NaN, which is what a csv makes of nothing."""
    return value is None or (type(value) is float and value != value)  # noqa: PLR0124 - only NaN differs from itself


def kind_of(values: Iterable[Any]) -> str:
    """Return the word that the fact `Labels` has for the type of these values."""
    kinds = {type(value) for value in values if not missing(value)}
    for kind in kinds:
        if kind.__module__ != "builtins":
            raise Unavailable(f"the labels are of type {kind.__name__}, which is not plain Python")
    if kinds == {int, float}:
        return "float"
    return KINDS.get(kinds.pop(), "other") if len(kinds) == 1 else "other"


def tally(values: Mapping[int, Any], *, lists: bool) -> dict[Any, tuple[int, list[int]]]:
    """Return, for each value, how often it occurs and the first rows that hold it, in order."""
    found: dict[Any, tuple[int, list[int]]] = {}
    for row, value in values.items():
        for item in (value or ()) if lists else (value,):
            if missing(item) or type(item) not in KINDS:
                continue
            number, rows = found.get(item, (0, []))
            if len(rows) < SHOWN and row not in rows:
                rows.append(row)
            found[item] = (number + 1, rows)
    comparable = len({str if type(item) is str else int for item in found}) < 2
    return {item: found[item] for item in (sorted(found) if comparable else found)}
