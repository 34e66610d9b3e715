"""The batches that are looked at: the first rows together, and the longest ones together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipedoctor.fact import Fact, Split, Unavailable
from pipedoctor.facts.batch import Array, Batch
from pipedoctor.facts.samples import Samples
from pipedoctor.frameworks.feeding import collator, kept
from pipedoctor.frameworks.restore import random_states
from pipedoctor.frameworks.source import Data
from pipedoctor.pipeline import Pipeline
from pipedoctor.probes.feeding import batch_size


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
    indices = pipeline.fact(Samples, split).rows
    if not indices:
        raise ValueError(f"the {split.value} data has no rows")
    names = kept(pipeline)
    size = batch_size(pipeline, split)
    first = tuple(i for i in indices if i < size)
    longest = tuple(i for i in indices if i >= size)
    if len(longest) == 1:  # beside another row, or it would not show that lengths differ
        longest += first[:1]
    with random_states():
        function = collator(pipeline)
        made = tuple(
            Collated(group, _mapping(function(_features(pipeline, split, group, names))))
            for group in (first, longest)
            if group
        )
    return Batches(made)


def _features(
    pipeline: Pipeline, split: Split, rows: Sequence[int], names: tuple[str, ...] | None
) -> list[Any]:
    """Return rows without the columns that Trainer drops."""
    table = pipeline.optional(Data, split)
    if table is not None and table.source is not None:
        found: list[Any] = list(table.source.rows(rows))
        if names is not None and not set(names) & set(found[0]):
            raise ValueError(
                "No columns in the dataset match the model's forward method signature: "
                f"it takes {', '.join(names)}, the data has {', '.join(found[0])}"
            )
    else:
        data = pipeline.data(split)
        found = [data[row] for row in rows]
    if names is None or not isinstance(found[0], Mapping):
        return found
    return [{name: value for name, value in row.items() if name in names} for row in found]


def _mapping(batch: Any) -> Mapping[str, Any]:
    if not isinstance(batch, Mapping):
        raise Unavailable(f"the collator makes a {type(batch).__name__}, not named arrays")
    return {str(name): value for name, value in batch.items()}


def describe(batches: Batches, pad_id: int | None) -> Batch:
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
