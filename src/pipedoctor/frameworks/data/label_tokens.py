"""Counting the labels of each row that are not -100, by Arrow, over all rows."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.collator import Collator
from pipedoctor.facts.environment import Environment
from pipedoctor.facts.label_tokens import LabelTokens
from pipedoctor.facts.labels import IGNORED
from pipedoctor.facts.model import Model
from pipedoctor.facts.settings import Settings
from pipedoctor.finding import Location
from pipedoctor.frameworks.data.arrow import Column, is_list
from pipedoctor.frameworks.data.batches import Batches
from pipedoctor.frameworks.data.counting import kind_of
from pipedoctor.frameworks.data.feeding import feed
from pipedoctor.frameworks.data.source import source
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes.feeding import DEFAULT_BATCH, label_columns
from pipedoctor.probes.preview.arrays import to_numpy

SHOWN = 3
"""So many rows without a label are named."""

POSITIONS = "position_ids"
"""What tells where texts begin that stand in one row."""


@probe(LabelTokens, Cost.DATA, "{data}")
def label_tokens(pipeline: Pipeline, split: Split) -> LabelTokens:
    """Count the labels of each row, as the collator will hand them on."""
    collator = pipeline.optional(Collator)
    if collator is None or collator.makes_labels:
        raise Unavailable("what the collator makes of the labels is not known")
    return _stored(pipeline, split)


@probe(LabelTokens, Cost.MODEL, "model", "{data}", user_code=True)
def collated_label_tokens(pipeline: Pipeline, split: Split) -> LabelTokens:
    """Count the labels of each row where the collator is seen to hand them on as they are."""
    found = source(pipeline, split)
    if found.transform is not None or found.prepared is not None:
        raise Unavailable("the rows are made when they are asked for")
    values = found.labels(found.label(label_columns(pipeline)))
    for one in pipeline.fact(Batches, split).made:
        labels = to_numpy(one.arrays.get("labels"))
        stored = [values[row].as_py() for row in one.rows]
        if labels is None or not _handed_on(labels, stored, to_numpy(one.arrays.get(POSITIONS))):
            raise Unavailable("the collator makes other labels than those that are stored")
    return _stored(pipeline, split)


def _handed_on(labels: Any, stored: list[Any], positions: Any) -> bool:
    """
    Whether the labels of a batch are those of its rows, in a row each, or all in one row.

    In one row, the first label of each text is left out: no other text may predict it.
    """
    import numpy as np

    rows = [one if isinstance(one, list) else [one] for one in stored]
    if len(labels) == len(rows):
        return all(
            mine[mine != IGNORED].tolist() == [one for one in row if one != IGNORED]
            for mine, row in zip(labels, rows, strict=True)
        )
    whole = np.asarray([one for row in rows for one in row])
    if positions is None or labels.shape != (1, len(whole)) or positions.shape != labels.shape:
        return False
    differs = labels[0] != whole
    return bool(((labels[0] == IGNORED) & (positions[0] == 0))[differs].all())


def _stored(pipeline: Pipeline, split: Split) -> LabelTokens:
    import numpy as np

    found = source(pipeline, split)
    if found.transform is not None:
        raise Unavailable("the rows are made by a transform when they are asked for")
    name = found.label(label_columns(pipeline))
    model = pipeline.optional(Model)
    shifted = model is not None and model.known("decoder_only") and model.decoder_only
    counts = np.concatenate([_counted(c, shifted) for c in _chunks(found.labels(name))])
    told: dict[str, Any] = {}
    size = _batch_size(pipeline, split)
    if size is not None:
        sums = np.add.reduceat(counts, np.arange(0, len(counts), size)) if len(counts) else counts
        bare = np.flatnonzero(sums == 0)
        told = {"batches": len(sums), "empty_batches": len(bare)}
        if len(bare):
            first = int(bare[0]) * size
            told["empty_rows"] = tuple(range(first, min(first + size, len(counts))))
    return LabelTokens(
        column=name,
        rows=len(counts),
        lengths=dict(sorted(Counter(counts.tolist()).items())),
        empty=tuple(np.flatnonzero(counts == 0)[:SHOWN].tolist()),
        where=Location(file=found.file, column=name, split=split.value),
        **told,
    )


def _chunks(values: Column) -> list[Any]:
    """Return the chunks of a column of integers, or of lists of them; one at least."""
    import pyarrow as pa

    inner = values.type.value_type if is_list(values.type) else values.type
    if kind_of(inner) not in {"int", "bool"}:
        raise Unavailable(f"the labels are of type {values.type}, of which none is left out")
    return values.chunks or [pa.array([], values.type)]


def _counted(chunk: Any, shifted: bool) -> Any:
    """
    Return how many labels of each row of a chunk count.

    A model that predicts the next token has no use for the label of the first one.
    """
    import numpy as np
    import pyarrow.compute as pc

    if not is_list(chunk.type):
        held = pc.fill_null(pc.not_equal(chunk, IGNORED), fill_value=False)
        return np.asarray(held).astype(np.int64)
    rows = pc.list_parent_indices(chunk).to_numpy()
    held = np.asarray(
        pc.fill_null(pc.not_equal(pc.list_flatten(chunk), IGNORED), fill_value=False)
    )
    if shifted:
        held = held & (np.diff(rows, prepend=-1) == 0)
    return np.bincount(rows[held], minlength=len(chunk))


def _batch_size(pipeline: Pipeline, split: Split) -> int | None:
    """Return how many rows an evaluation takes at a time, None where its order is another one."""
    settings, machine = pipeline.optional(Settings), pipeline.optional(Environment)
    if split is not Split.EVAL or not feed(pipeline, split).usual:
        return None
    if machine is not None and machine.known("gpus") and machine.gpus > 1:
        return None
    if settings is None:
        return DEFAULT_BATCH
    strategy = settings.get("train_sampling_strategy")
    if strategy == "group_by_length" or settings.get("group_by_length"):
        return None
    size = settings.get("per_device_eval_batch_size")
    return size if isinstance(size, int) and size > 0 else None
