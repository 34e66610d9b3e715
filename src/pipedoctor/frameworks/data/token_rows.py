"""The fact `TokenRows`: all stored rows, by Arrow and numpy, block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pipedoctor.fact import UNKNOWN, Cost, Split, Unavailable
from pipedoctor.facts.labels import IGNORED
from pipedoctor.facts.token_rows import Those, TokenRows
from pipedoctor.finding import Location
from pipedoctor.frameworks.data import arrow
from pipedoctor.frameworks.data.source import Source, source
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes.token_rows import BESIDE, IDS, MASK, SHOWN, TARGETS

BLOCK = 1 << 18
"""About so many values are looked at at once: they stay in the processor's cache."""

MOST_FIRST = 32
"""More labels than this are no classes of tokens, and are not counted."""


@probe(TokenRows, Cost.DATA, "{data}")
def token_rows(pipeline: Pipeline, split: Split) -> TokenRows:
    """Look at all rows as they are stored."""
    found = source(pipeline, split)
    if found.transform is not None or found.prepared is not None:
        raise Unavailable("the rows are made when they are asked for")
    if not len(found):
        raise Unavailable(f"the {split.value} data has no rows")
    ids = _integers(found, IDS)
    if ids is None:
        raise Unavailable("the data has no column of token ids")
    lengths = arrow.lengths(found.raw, (IDS,))
    told: dict[str, Any] = {"empty": _those(lengths == 0)}
    told |= _extremes(found, ids)
    mask = _integers(found, MASK)
    if mask is not None:
        told["masked"] = _those(_in_order(found, _closed(mask)) & (lengths > 0))
    told |= _beside(found, lengths)
    labels = _integers(found, TARGETS)
    if labels is not None and TARGETS not in told["apart"]:
        told["first"] = _first(found, ids, labels)
    where = Location(file=found.file, column=IDS, split=split.value)
    return TokenRows(len(lengths), where=where, **told)


def _integers(found: Source, name: str) -> Any:
    """Return a column as it is stored, if it holds lists of integers; else None."""
    import pyarrow as pa

    if name not in found.raw.column_names:
        return None
    values = arrow.plain(found.raw.data.column(name))
    inner = values.type.value_type if arrow.is_list(values.type) else None
    whole = inner is not None and (pa.types.is_integer(inner) or pa.types.is_boolean(inner))
    return values if whole else None


def _those(flags: Any) -> Those:
    import numpy as np

    rows = np.flatnonzero(flags)
    return Those(len(rows), tuple(rows[:SHOWN].tolist()))


def _in_order(found: Source, values: Any) -> Any:
    """Apply the order that a shuffle or a selection left to what was told of the stored rows."""
    order = getattr(found.raw, "_indices", None)
    return values if order is None else values[order.column(0).to_numpy()]


def _flat(block: Any) -> tuple[Any, Any]:
    """Return the values of a block of lists, and where each list begins, its end behind all."""
    import numpy as np
    import pyarrow.compute as pc

    lengths = pc.fill_null(pc.list_value_length(block), 0).to_numpy(zero_copy_only=False)
    begins = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])
    return pc.list_flatten(block), begins


def _closed(mask: Any) -> Any:
    """Return for each stored row whether its mask opens nothing."""
    import numpy as np
    import pyarrow.compute as pc

    told = []
    for block in arrow.blocks(mask, BLOCK):
        flat, begins = _flat(block)
        if not flat.null_count and (not len(flat) or pc.min_max(flat).as_py()["min"]):
            told.append(begins[1:] == begins[:-1])  # nothing is closed, as in rows without padding
            continue
        held = np.asarray(pc.fill_null(flat, 0).to_numpy(zero_copy_only=False)) != 0
        counted = np.concatenate([np.zeros(1, np.int64), np.cumsum(held)])[begins]
        told.append(counted[1:] == counted[:-1])
    return np.concatenate(told)


def _extremes(found: Source, ids: Any) -> dict[str, Any]:
    """Return the least and the largest id, and rows that hold them."""
    if getattr(found.raw, "_indices", None) is not None:
        low, high = _each(found, ids)
        ends = int(low.min()), int(high.max())
        rows = {ends[0]: _those(low == ends[0]).rows, ends[1]: _those(high == ends[1]).rows}
        return _told(ends, rows)
    return _told(*_of_all(ids))


def _told(ends: tuple[int, int], rows: dict[int, tuple[int, ...]]) -> dict[str, Any]:
    if ends[0] > ends[1]:  # no row has a token
        return {}
    return {"least": ends[0], "most": ends[1], "holders": rows}


NOTHING = (1 << 62, -(1 << 62))


def _of_all(ids: Any) -> tuple[tuple[int, int], dict[int, tuple[int, ...]]]:
    """Return the extremes of rows that stand as they are stored: no row is looked at by itself."""
    import pyarrow.compute as pc

    low, high = NOTHING
    held: dict[int, tuple[Any, int]] = {}
    start = 0
    for block in arrow.blocks(ids, BLOCK):
        ends = pc.min_max(pc.list_flatten(block)).as_py()
        if ends["min"] is not None:
            if ends["min"] < low:
                low = ends["min"]
                held[low] = (block, start)
            if ends["max"] > high:
                high = ends["max"]
                held[high] = (block, start)
        start += len(block)
    rows = {value: _holding(*held[value], value) for value in (low, high) if value in held}
    return (low, high), rows


def _holding(block: Any, start: int, value: int) -> tuple[int, ...]:
    """Return the first rows of a block that hold an id."""
    import numpy as np
    import pyarrow.compute as pc

    flat, begins = _flat(block)
    places = np.flatnonzero(np.asarray(pc.fill_null(pc.equal(flat, value), fill_value=False)))
    rows = np.unique(np.searchsorted(begins, places, side="right") - 1)
    return tuple((rows[:SHOWN] + start).tolist())


def _each(found: Source, ids: Any) -> tuple[Any, Any]:
    """Return the least and the largest id of each row; of one without ids, those of `NOTHING`."""
    import numpy as np
    import pyarrow.compute as pc

    told: tuple[list[Any], list[Any]] = ([], [])
    for block in arrow.blocks(ids, BLOCK):
        flat, begins = _flat(block)
        held = np.asarray(pc.fill_null(flat, 0).to_numpy(zero_copy_only=False)).astype(np.int64)
        full = np.flatnonzero(begins[1:] > begins[:-1])
        reductions = zip(told, NOTHING, (np.minimum, np.maximum), strict=True)
        for parts, nothing, reduce in reductions:
            part = np.full(len(block), nothing, np.int64)
            if len(full):
                part[full] = reduce.reduceat(held, begins[full])
            parts.append(part)
    return tuple(_in_order(found, np.concatenate(parts)) for parts in told)


def _beside(found: Source, lengths: Any) -> dict[str, Any]:
    """Compare the lengths of what should stand beside each token."""
    import numpy as np

    apart: dict[str, Those] = {}
    shown: dict[str, tuple[int, int, int]] = {}
    for name in _listed(found, BESIDE):
        theirs = arrow.lengths(found.raw, (name,))
        differ = theirs != lengths
        if differ.any():
            apart[name] = _those(differ)
            row = int(np.flatnonzero(differ)[0])
            shown[name] = (row, int(lengths[row]), int(theirs[row]))
    return {"apart": apart, "lengths": shown}


def _listed(found: Source, names: Sequence[str]) -> Iterator[str]:
    for name in names:
        if _integers(found, name) is not None:
            yield name


def _first(found: Source, ids: Any, labels: Any) -> Any:
    """Count the labels of the first tokens; unknown where rows begin with different ones."""
    import numpy as np
    import pyarrow.compute as pc

    counted: dict[int, int] = {}
    token = None
    order = getattr(found.raw, "_indices", None)
    if order is not None:
        ids, labels = (arrow.in_order(found.raw, values) for values in (ids, labels))
    pairs = zip(arrow.blocks(ids, BLOCK), arrow.blocks(labels, BLOCK), strict=False)
    for mine, theirs in pairs:
        if len(mine) != len(theirs):
            return UNKNOWN
        full = pc.greater(pc.fill_null(pc.list_value_length(mine), 0), 0)
        begins = pc.unique(pc.list_element(mine.filter(full), 0)).to_pylist()
        if len(begins) > 1 or (token is not None and begins and begins[0] != token):
            return UNKNOWN
        token = begins[0] if begins else token
        values, counts = np.unique(
            pc.fill_null(pc.list_element(theirs.filter(full), 0), IGNORED).to_numpy(),
            return_counts=True,
        )
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            counted[value] = counted.get(value, 0) + count
        if len(counted) > MOST_FIRST:
            return UNKNOWN
    return counted
