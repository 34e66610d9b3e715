"""Counting the values of a column of labels: how often each occurs, and in which rows first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pipedoctor.fact import UNKNOWN
from pipedoctor.frameworks.data.arrow import Column, is_list, is_text

SHOWN = 3
"""The rows that are named for each value."""

Value = int | float | str | bool


@dataclass
class Count:
    """What a column of labels holds; the names are those of the fact `Labels`."""

    kind: str
    rows: int
    missing: int
    width: int | None = None
    lists: bool = False
    distinct: int = UNKNOWN
    counts: dict[Value, int] = UNKNOWN
    examples: dict[Value, tuple[int, ...]] = field(default_factory=dict)
    hot: dict[int, tuple[int, ...]] = field(default_factory=dict)
    minimum: float = UNKNOWN
    maximum: float = UNKNOWN


def count(values: Column, most: int) -> Count:
    """
    Count the values of a column; of more than `most` distinct ones, only how many there are.

    A NaN is no label: it is missing like a null.
    """
    lists = is_list(values.type)
    inner = values.type.value_type if lists else values.type
    found = Count(kind_of(inner), len(values), _missing(values), lists=lists)
    if lists:
        found.width = _width(values)
    if found.kind == "other":
        return found
    tally = _tally(values, most)
    if tally is not None:
        found.distinct = len(tally)
        found.counts = {value: tally[value][0] for value in sorted(tally)}
        found.examples = {value: tuple(tally[value][1]) for value in sorted(tally)}
    elif not lists:
        import pyarrow.compute as pc

        found.distinct = pc.count_distinct(values, mode="only_valid").as_py()
    if found.kind in {"int", "float"}:
        found.minimum, found.maximum = _extremes(values)
    width = found.width or 0
    if 1 < width <= most and not found.missing:
        wanted = {0: found.rows * (width - 1), 1: found.rows}
        if tally is not None and found.counts == wanted:
            found.hot = _hot(values, width)
    return found


def _hot(values: Column, width: int) -> dict[int, tuple[int, ...]]:
    """Return the first rows that have their one at each place; empty if a row has not just one."""
    import numpy as np
    import pyarrow.compute as pc

    flat = pc.list_flatten(values).to_numpy()
    if len(flat) != len(values) * width:
        return {}
    rows = flat.reshape(-1, width)
    if not bool((rows.sum(axis=1) == 1).all()):
        return {}
    ones = rows.argmax(axis=1)
    return {
        place: tuple(np.flatnonzero(ones == place)[:SHOWN].tolist())
        for place in np.unique(ones).tolist()
    }


def kind_of(kind: Any) -> str:
    """Return the word that the fact `Labels` has for an Arrow type."""
    import pyarrow as pa

    types = pa.types
    if types.is_integer(kind):
        return "int"
    if types.is_floating(kind):
        return "float"
    if types.is_boolean(kind):
        return "bool"
    return "text" if is_text(kind) else "other"


def _missing(values: Column) -> int:
    import pyarrow.compute as pc

    if kind_of(values.type) == "float":
        return int(pc.sum(pc.is_null(values, nan_is_null=True)).as_py() or 0)
    return int(values.null_count)


def _width(values: Column) -> int:
    """Return the common length of all lists, 0 if they differ."""
    import pyarrow.compute as pc

    ends = pc.min_max(pc.list_value_length(values)).as_py()
    return int(ends["min"] or 0) if ends["min"] == ends["max"] else 0


def _extremes(values: Column) -> tuple[Any, Any]:
    import pyarrow.compute as pc

    flat = pc.list_flatten(values) if is_list(values.type) else values
    ends = pc.min_max(flat).as_py()
    nothing = ends["min"] is None or ends["min"] != ends["min"]  # only nulls, or only NaN
    return (UNKNOWN, UNKNOWN) if nothing else (ends["min"], ends["max"])


def _tally(values: Column, most: int) -> dict[Value, tuple[int, list[int]]] | None:
    """Return, for each value, how often it occurs and its first rows; None if there are many."""
    tally: dict[Value, tuple[int, list[int]]] = {}
    for first, chunk in _chunks(values):
        if not _add(tally, first, chunk, most):
            return None
    return tally


def _chunks(values: Column) -> Iterator[tuple[int, Any]]:
    """Yield the chunks of a column, each with the number of its first row."""
    first = 0
    for chunk in values.chunks if is_list(values.type) else [values.combine_chunks()]:
        yield first, chunk
        first += len(chunk)


def _add(tally: dict[Value, tuple[int, list[int]]], first: int, chunk: Any, most: int) -> bool:
    """Add a chunk to the tally; false if that makes more than `most` distinct values."""
    import numpy as np
    import pyarrow.compute as pc

    lists = is_list(chunk.type)
    if lists:
        rows = pc.list_parent_indices(chunk).to_numpy()
        chunk = pc.list_flatten(chunk)
    valid = np.asarray(pc.invert(pc.is_null(chunk, nan_is_null=True)))
    encoded = pc.drop_null(chunk.filter(valid)).dictionary_encode()
    if len(set(tally) | set(encoded.dictionary[: most + 1].to_pylist())) > most:
        return False
    words = encoded.dictionary.to_pylist()
    # Sixteen bits are enough for so few values, and numpy sorts those by radix: in linear time.
    codes = encoded.indices.to_numpy().astype(np.int16)
    rows = rows[valid] if lists else np.flatnonzero(valid)
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(len(words) + 1))
    for code, value in enumerate(words):
        number, shown = tally.get(value, (0, []))
        begin, end = int(starts[code]), int(starts[code + 1])
        if len(shown) < SHOWN:
            enough = end if lists else min(end, begin + SHOWN)
            met = rows[order[begin:enough]]
            fresh = np.flatnonzero(np.diff(met, prepend=-1))[: SHOWN - len(shown)]
            shown = [*shown, *(met[fresh] + first).tolist()]
        tally[value] = (number + end - begin, shown)
    return True
