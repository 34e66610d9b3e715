"""
Columns of Arrow-backed data as a whole: counted and measured without a Python loop over rows.

A function here takes the same time for a shuffled data set as for a sorted one: the order of
rows is applied to what was measured, by Arrow, not row by row.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Column = Any
"""A `pyarrow.ChunkedArray`."""


def column(dataset: Any, name: str) -> Column:
    """Return a column of a `datasets.Dataset` in the order of its rows."""
    return in_order(dataset, plain(dataset.data.column(name)))


def in_order(dataset: Any, values: Column) -> Column:
    """Apply the order that a shuffle or a selection left to values of the stored rows."""
    order = getattr(dataset, "_indices", None)
    return values if order is None else values.take(order.column(0))


def plain(values: Column) -> Column:
    """Return a column without what wraps its values: extension types and dictionaries."""
    import pyarrow as pa

    if isinstance(values.type, pa.BaseExtensionType):
        values = pa.chunked_array(
            [chunk.storage for chunk in values.chunks], type=values.type.storage_type
        )
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    return values


def word(kind: Any) -> str:
    """
    Return an Arrow type in the words of facts: "int64", "string", "list<int64>".

    How wide the offsets are, or that lists have one length, makes no difference to a trainer.
    """
    import pyarrow as pa

    types = pa.types
    if isinstance(kind, pa.BaseExtensionType):
        return word(kind.storage_type)
    if types.is_dictionary(kind):
        return word(kind.value_type)
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return f"list<{word(kind.value_type)}>"
    if types.is_struct(kind):
        inner = ", ".join(f"{field.name}: {word(field.type)}" for field in kind)
        return f"struct<{inner}>"
    return str(kind).removeprefix("large_")


def is_list(kind: Any) -> bool:
    """Whether rows of this type hold lists."""
    import pyarrow as pa

    types = pa.types
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def is_text(kind: Any) -> bool:
    """Whether rows of this type hold texts."""
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def lengths(dataset: Any, names: tuple[str, ...]) -> Any:
    """Return the summed lengths of these columns for each row: bytes of text, items of lists."""
    import numpy as np
    import pyarrow.compute as pc

    total = np.zeros(len(dataset), dtype=np.int64)
    for name in names:
        values = plain(dataset.data.column(name))
        measure = pc.list_value_length if is_list(values.type) else pc.binary_length
        measured = in_order(dataset, measure(values).cast("int64"))
        total += measured.fill_null(0).to_numpy()
    return total


def longest(dataset: Any, names: tuple[str, ...], count: int) -> tuple[int, ...]:
    """Return the rows in which these columns are longest, the longest first."""
    import numpy as np

    if not names or count < 1:
        return ()
    total = lengths(dataset, names)
    count = min(count, len(total))
    if count == 0:
        return ()
    threshold = np.partition(total, -count)[-count]
    above = np.flatnonzero(total > threshold)
    level = np.flatnonzero(total == threshold)[: count - len(above)]
    return tuple(sorted([*above.tolist(), *level.tolist()], key=lambda row: (-total[row], row)))


def blocks(values: Column, size: int) -> Iterator[Any]:
    """
    Yield a column in blocks of about so many values: small chunks together, large ones in parts.

    What is done with a block then stays in the processor's cache, and a table in ten thousand
    chunks costs no more than one in ten.
    """
    import pyarrow as pa

    waiting: list[Any] = []
    held = 0
    for chunk in values.chunks:
        whole = max(1, _items(chunk))
        parts = max(1, whole // size)
        step = -(-len(chunk) // parts) or 1
        for begin in range(0, len(chunk), step):
            waiting.append(chunk.slice(begin, step))
            held += whole // parts
            if held >= size:
                yield pa.concat_arrays(waiting) if len(waiting) > 1 else waiting[0]
                waiting, held = [], 0
    if waiting:
        yield pa.concat_arrays(waiting) if len(waiting) > 1 else waiting[0]


def _items(chunk: Any) -> int:
    """Return about how many values a chunk holds."""
    if not len(chunk):
        return 0
    if is_list(chunk.type) and hasattr(chunk, "offsets"):
        return int(chunk.offsets[-1].as_py() - chunk.offsets[0].as_py())
    if is_text(chunk.type):
        return int(chunk.nbytes)
    return len(chunk)
