"""The batches that are looked at: the first rows together, and the longest ones together."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pipedoctor.fact import Fact, Split, Unavailable
from pipedoctor.facts.batch import Array, Batch
from pipedoctor.facts.columns import Columns
from pipedoctor.facts.samples import Samples
from pipedoctor.frameworks.data.feeding import collator, feed, kept
from pipedoctor.frameworks.data.reading import Read, raise_broken, require_rows
from pipedoctor.frameworks.data.source import Data, fetched
from pipedoctor.frameworks.data.streams import disposable, readable
from pipedoctor.frameworks.restoring.undisturbed import undisturbed
from pipedoctor.pipeline import Pipeline
from pipedoctor.probes.feeding import batch_size

Fetch = Callable[[Sequence[int]], list[Any]]
"""Returns rows as they go into the collator."""


@dataclass(frozen=True)
class Collated:
    """What the collator made of some rows."""

    rows: tuple[int, ...]
    arrays: Mapping[str, Any]


@dataclass(frozen=True, repr=False, eq=False)
class Batches(Fact):
    """The collated batches themselves, the first one first; not for checks."""

    doing = "Making a batch"
    per_split = True

    made: tuple[Collated, ...]


def collate(pipeline: Pipeline, split: Split) -> Batches:
    """Put the rows of `Samples` through the collator, as a trainer would."""
    groups, fetch = _groups(pipeline, split)
    if not groups:
        raise Unavailable(f"the {split.value} data has no rows")
    return Batches(_collated(pipeline, split, groups, fetch))


def of_rows(pipeline: Pipeline, split: Split, rows: tuple[int, ...]) -> Collated:
    """
    Return a batch of other rows than those of `Samples`.

    Raises:
        Unavailable: The collator makes no named arrays, or might change the rows.
        Exception: Whatever the data or the collator raises, which are the user's own.

    """
    (made,) = of_groups(pipeline, split, [rows])
    return made


def of_groups(
    pipeline: Pipeline, split: Split, groups: Sequence[tuple[int, ...]]
) -> tuple[Collated, ...]:
    """Return a batch of each of these groups of rows, as `of_rows` would."""
    return _collated(pipeline, split, groups, _by_number(pipeline, split))


def of_stream(pipeline: Pipeline, split: Split, most: int, size: int) -> tuple[Collated, ...]:
    """
    Return the first batches of a stream of rows, of a size; nothing is taken from its reader.

    Raises:
        Unavailable: It can't be read without taking rows from it.

    """
    stream, names = feed(pipeline, split).data, kept(pipeline, split)
    with undisturbed(stream):
        rows = list(islice(readable(pipeline, stream), most * size))
    whole = range(0, max(size, len(rows) - size + 1), size)
    groups = [tuple(range(at, min(at + size, len(rows)))) for at in whole if at < len(rows)]
    return _collated(
        pipeline, split, groups, lambda group: _without([rows[row] for row in group], names)
    )


def _collated(
    pipeline: Pipeline, split: Split, groups: Sequence[tuple[int, ...]], fetch: Fetch
) -> tuple[Collated, ...]:
    """Make a batch of each group; to fetch rows may run the user's code, as collating them does."""
    function = collator(pipeline, split)
    with undisturbed(function, feed(pipeline, split).data):
        try:
            return tuple(
                Collated(group, _mapping(function(_own(fetch(group), pipeline))))
                for group in groups
            )
        except KeyError as error:
            raise _told(error, pipeline, split) from None


def _told(error: KeyError, pipeline: Pipeline, split: Split) -> KeyError:
    """Return the error of a collator that asks for a column, with what became of that column."""
    columns = pipeline.optional(Columns, split)
    known = columns is not None and columns.known("accepted") and columns.known("filtered")
    dropped = columns.dropped if columns is not None and known else ()
    if len(error.args) != 1 or error.args[0] not in dropped:
        return error
    text = f"Trainer drops the column {error.args[0]!r} before the collator gets the rows"
    return KeyError(text).with_traceback(error.__traceback__)


def _groups(pipeline: Pipeline, split: Split) -> tuple[list[tuple[int, ...]], Fetch]:
    """Return the rows that are collated together, and what fetches them."""
    table = pipeline.optional(Data, split)
    data = feed(pipeline, split).data
    names = kept(pipeline, split)
    plain = type(data) in {list, tuple, dict} and pipeline.optional(Samples, split) is not None
    if plain or (table is not None and table.source is not None):
        return _by_samples(pipeline, split), _by_number(pipeline, split)
    found = pipeline.fact(Read, split)
    raise_broken(found, Batches, split, head=True)
    require_rows(found, split)
    return list(found.groups), lambda group: _without([found.kept[row] for row in group], names)


def _by_number(pipeline: Pipeline, split: Split) -> Fetch:
    """Return what fetches rows by their numbers, without the columns that Trainer drops."""
    table, names = pipeline.optional(Data, split), kept(pipeline, split)
    source = table.source if table is not None else None
    if source is not None:
        return lambda group: fetched(source, group, names)
    data = feed(pipeline, split).data
    # An IterableDataset has a __getitem__ too: torch's only raises, that of datasets takes columns.
    streams = any(kind.__name__ == "IterableDataset" for kind in type(data).__mro__)
    if streams or not hasattr(type(data), "__getitem__"):
        raise Unavailable("the data is a stream, which gives no rows by their number")
    return lambda group: _without([row_of(data, row) for row in group], names)


def _by_samples(pipeline: Pipeline, split: Split) -> list[tuple[int, ...]]:
    samples = pipeline.fact(Samples, split)
    if samples.together:
        return list(samples.together)
    size = batch_size(pipeline, split)
    first = tuple(row for row in samples.rows if row < size)
    longest = tuple(row for row in samples.rows if row >= size)
    if len(longest) == 1:  # beside another row, or it would not show that lengths differ
        longest += first[:1]
    return [group for group in (first, longest) if group]


def row_of(data: Any, row: int) -> Any:
    """Return a row of a dict of columns, or of anything that gives a row for an index."""
    return {n: values[row] for n, values in data.items()} if type(data) is dict else data[row]


def _without(rows: list[Any], names: tuple[str, ...] | None) -> list[Any]:
    """Return rows without what Trainer drops, which are keys of a dict and nothing else."""
    if names is None:
        return rows
    return [
        {name: value for name, value in row.items() if name in names}
        if isinstance(row, dict)
        else row
        for row in rows
    ]


def _own(rows: list[Any], pipeline: Pipeline) -> list[Any]:
    """Return copies of rows: a collator may change what it is given, and some data keep it."""
    try:
        return copy.deepcopy(rows)
    except Exception as error:  # noqa: BLE001 - whatever the user's objects raise at being copied
        if disposable(pipeline):
            return rows
        raise Unavailable(
            f"the rows can't be copied ({type(error).__name__}), and a collator may change them"
        ) from None


def _mapping(batch: Any) -> Mapping[str, Any]:
    if not isinstance(batch, Mapping):
        raise Unavailable(f"the collator makes a {type(batch).__name__}, not named arrays")
    return {str(name): value for name, value in batch.items()}


def describe(batches: Batches, pad_id: int | None, own_loss: bool = False) -> Batch:
    """Return what there is to say of the batches: shapes, lengths, extreme ids, padding."""
    measured: dict[str, Any] = {}
    lengths = [_Lengths(one, pad_id) for one in batches.made if _ids(one) is not None]
    if lengths:
        longest = max(lengths, key=lambda one: one.unpadded)
        measured |= {
            "length": max(one.length for one in lengths),
            "unpadded": longest.unpadded,
            "longest_row": longest.row,
            "padded_share": lengths[0].padded_share,
        }
        measured |= _extremes(batches)
    return Batch(
        arrays=dict(_arrays(batches.made[0].arrays)),
        rows=sum(len(one.rows) for one in batches.made),
        own_loss=own_loss,
        **measured,
    )


def _arrays(arrays: Mapping[str, Any]) -> Iterator[tuple[str, Array]]:
    for name, value in arrays.items():
        if hasattr(value, "shape") and hasattr(value, "dtype"):
            yield name, Array(tuple(value.shape), str(value.dtype).removeprefix("torch."))


def _ids(one: Collated) -> Any:
    """Return the token ids of a batch as a numpy array, None where it has none."""
    ids = one.arrays.get("input_ids")
    return _numpy(ids) if getattr(ids, "ndim", 0) == 2 else None


def _numpy(value: Any) -> Any:
    import numpy as np

    return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)


class _Lengths:
    """The lengths of the rows of one batch."""

    def __init__(self, one: Collated, pad_id: int | None) -> None:
        ids = _ids(one)
        mask = one.arrays.get("attention_mask")
        if getattr(mask, "ndim", 0) == 2:
            real = _numpy(mask) != 0
        else:
            real = ids != (-1 if pad_id is None else pad_id)  # no id is negative
        each = real.sum(axis=1)
        self.length = int(ids.shape[1])
        self.unpadded = int(each.max())
        self.row = one.rows[int(each.argmax())] if len(one.rows) == len(each) else one.rows[0]
        self.padded_share = 1.0 - float(real.mean())


def _extremes(batches: Batches) -> dict[str, Any]:
    ids = [(one, _ids(one)) for one in batches.made]
    ids = [(one, found) for one, found in ids if found is not None and found.size]
    if not ids:
        return {}
    low, high = min(int(f.min()) for _, f in ids), max(int(f.max()) for _, f in ids)
    holders = {
        extreme: tuple(
            dict.fromkeys(
                row
                for one, found in ids
                if len(found) == len(one.rows)
                for row, hit in zip(one.rows, (found == extreme).any(axis=1), strict=True)
                if hit
            )
        )
        for extreme in {low, high}
    }
    return {"min_id": low, "max_id": high, "ids_rows": holders}
