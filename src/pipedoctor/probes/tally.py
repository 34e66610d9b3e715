"""Counting plain Python values: how often each occurs, and in which rows first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pipedoctor.fact import Unavailable

SHOWN = 3
"""The rows that are named for each value."""

KINDS = {int: "int", float: "float", str: "text", bool: "bool"}


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
