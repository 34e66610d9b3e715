"""
A number of 64 bits for each row, the same for the same values: computed by numpy, block by block.

Each value is mixed, and multiplied by a power of an odd number that stands for its place; the sum
over a row, divided by the power that the row begins with, is its number. So no loop over rows is
needed, however their lengths differ. Of ten million different rows two have the same number with
a chance of 3 in a million.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.frameworks.data import arrow

BLOCK = 1 << 16
"""About so many values are hashed at once: they stay in the processor's cache, at 0.5 MB each."""

BASE = 0x9E3779B97F4A7C15
INVERSE = pow(BASE, -1, 1 << 64)
FIRST, SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
NULL = 0xD6E8FEB86659FD93
"""
What stands for a null. A value that is mixed to it by chance is as rare as any two that are alike.
"""


def rows(dataset: Any, names: Sequence[str], chosen: Any = None) -> Any:
    """
    Return the numbers of all rows of a `datasets.Dataset`, or of those chosen, in their order.

    Raises:
        Unavailable: A column holds what can't be compared in this way.

    """
    import numpy as np

    order = getattr(dataset, "_indices", None)
    places = None if order is None else order.column(0).to_numpy()
    if chosen is not None:
        places = chosen if places is None else places[chosen]
    total: Any = None
    for name in names:
        values = arrow.plain(dataset.data.column(name))
        if places is not None:
            values = values.take(places)
        told = _column(values, name)
        total = told if total is None else _mix(total * np.uint64(FIRST) + told)
    return total


def _column(values: Any, name: str) -> Any:
    """Return a number for each value of a column, which may be a list or a text."""
    import numpy as np

    found = [_chunk(block, name) for block in arrow.blocks(values, BLOCK)]
    return np.concatenate(found) if found else np.zeros(0, np.uint64)


def _chunk(chunk: Any, name: str) -> Any:
    import numpy as np
    import pyarrow.compute as pc

    if arrow.is_text(chunk.type):
        return _apart(_sums(*_bytes(chunk)), chunk)
    if arrow.is_list(chunk.type):
        lengths = pc.fill_null(pc.list_value_length(chunk), 0).to_numpy().astype(np.int64)
        return _apart(_sums(_plain(pc.list_flatten(chunk), name), lengths), chunk)
    return _mix(_plain(chunk, name))


def _apart(numbers: Any, values: Any) -> Any:
    """Give what is null a number that no value has but by chance."""
    import numpy as np

    if values.null_count:
        numbers = numbers.copy()
        numbers[values.is_null().to_numpy(zero_copy_only=False)] = np.uint64(NULL)
    return numbers


def _bytes(chunk: Any) -> tuple[Any, Any]:
    """Return the bytes of texts, and the number of each."""
    import numpy as np
    import pyarrow as pa

    wide = pa.types.is_large_string(chunk.type)
    _, offsets, held = chunk.buffers()
    ends = np.frombuffer(offsets, np.int64 if wide else np.int32)
    ends = ends[chunk.offset : chunk.offset + len(chunk) + 1].astype(np.int64)
    whole = np.frombuffer(held, np.uint8) if held is not None else np.zeros(0, np.uint8)
    return whole[ends[0] : ends[-1]].astype(np.uint64), np.diff(ends)


def _plain(values: Any, name: str) -> Any:
    """Return numbers as 64 bits each; a null is `NULL`."""
    import numpy as np
    import pyarrow as pa

    types, kind = pa.types, values.type
    if types.is_boolean(kind):
        values = values.cast(pa.int8())
    elif types.is_floating(kind):
        values = values.cast(pa.float64())
    elif not types.is_integer(kind):
        raise Unavailable(f"the rows of {name} are of type {kind}, which are not compared")
    nulls = values
    if values.null_count:
        values = values.fill_null(0)
    held = values.to_numpy(zero_copy_only=False)
    if held.dtype.kind == "f":
        return _apart((held + 0.0).view(np.uint64), nulls)  # minus zero is zero
    return _apart(held.astype(np.int64, copy=False).view(np.uint64), nulls)


def _sums(values: Any, lengths: Any) -> Any:
    """Return the number of each row of `lengths` values."""
    import numpy as np

    powers, inverses = _powers(len(values))
    weighted = _scatter(values)
    weighted *= powers[: len(values)]
    ends = np.cumsum(lengths)
    total = np.zeros(len(values) + 1, np.uint64)
    np.cumsum(weighted, out=total[1:])
    starts = ends - lengths
    told = (total[ends] - total[starts]) * inverses[starts]
    return _mix(told + lengths.astype(np.uint64))


def _powers(count: int) -> tuple[Any, Any]:
    """Return the powers of the base and of its inverse, at least so many."""
    return _table(1 << max(10, count.bit_length()))


@cache
def _table(count: int) -> tuple[Any, Any]:
    import numpy as np

    told = []
    for base in (BASE, INVERSE):
        factors = np.full(count, base, np.uint64)
        factors[0] = 1
        told.append(np.multiply.accumulate(factors))
    return told[0], told[1]


def _scatter(values: Any) -> Any:
    """Spread values over 64 bits; enough where a sum of many follows, which is mixed again."""
    import numpy as np

    mixed = (values + np.uint64(BASE)) * np.uint64(FIRST)
    mixed ^= mixed >> np.uint64(29)
    return mixed


def _mix(values: Any) -> Any:
    """Spread each bit of some numbers over all bits of theirs."""
    import numpy as np

    mixed = (values ^ (values >> np.uint64(30))) * np.uint64(FIRST)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(SECOND)
    return mixed ^ (mixed >> np.uint64(31))
