"""How long rows are, padding aside: by Arrow over all rows, or over a sample of many."""

from __future__ import annotations

from typing import Any

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.labels import IGNORED
from pipedoctor.facts.lengths import Lengths
from pipedoctor.finding import Location
from pipedoctor.frameworks.data import arrow
from pipedoctor.frameworks.data.source import Source, source
from pipedoctor.frameworks.data.supervision import tokenizer_of
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes.feeding import DEFAULT_BATCH, batch_size

IDS = "input_ids"

MOST = 200_000
"""Padding is counted in so many rows, drawn at random if there are more."""

BATCHES = 200
"""So many batches are drawn to see what padding each to its longest row would take."""

COVERED = 0.99
"""The share of the rows that a length has to cover so that to cut the others loses little."""

PACKED = ("seq_lengths", "position_ids")
"""Columns that tell where the texts of a row begin."""


@probe(Lengths, Cost.DATA, "{data}")
def lengths(pipeline: Pipeline, split: Split) -> Lengths:
    """Measure the rows."""
    import numpy as np

    found = source(pipeline, split)
    if found.prepared is not None or found.transform is not None:
        raise Unavailable("the rows are tokenised when they are asked for")
    names = found.raw.column_names
    if IDS not in names or not arrow.is_list(arrow.plain(found.raw.data.column(IDS)).type):
        raise Unavailable("the data has no column of token ids")
    stored = arrow.lengths(found.raw, (IDS,))
    if not len(stored):
        raise Unavailable(f"the {split.value} data has no rows")
    longest = int(stored.max())
    width = longest if longest == int(stored.min()) and len(stored) > 1 else None
    real = _real(found, stored, width, _pad(pipeline))
    scale = len(stored) / len(real)
    size = batch_size(pipeline, split) or DEFAULT_BATCH
    random = np.random.default_rng(0)
    drawn = real[random.integers(0, len(real), (BATCHES, size))]
    covering = int(-(-np.quantile(real, COVERED, method="inverted_cdf") // 8) * 8)
    return Lengths(
        column=IDS,
        rows=len(stored),
        tokens=round(float(real.sum()) * scale),
        stored=int(stored.sum()),
        longest=int(real.max()),
        at_longest=round(float((real == real.max()).sum()) * scale),
        width=width,
        batch=size,
        batched=round(float(drawn.max(axis=1).mean()) * len(stored)),
        left_out=len(left_out(found)),
        packed=any(name in names for name in PACKED),
        covering=covering,
        cut_tokens=float(1 - np.minimum(real, covering).sum() / max(1, real.sum())),
        where=Location(file=found.file, column=IDS, split=split.value),
    )


def _pad(pipeline: Pipeline) -> int | None:
    pad = getattr(tokenizer_of(pipeline), "pad_token_id", None)
    return pad if isinstance(pad, int) else None


def _real(found: Source, stored: Any, width: int | None, pad: int | None) -> Any:
    """Return the lengths of rows without the padding in them; of a sample, if they are many."""
    import numpy as np

    names = found.raw.column_names
    masked = "attention_mask" in names
    if not masked and (width is None or pad is None):
        return stored
    rows = np.arange(len(stored))
    if len(rows) > MOST:
        rows = np.sort(np.random.default_rng(0).choice(rows, MOST, replace=False))
    name = "attention_mask" if masked else IDS
    values = arrow.in_order(found.raw, arrow.plain(found.raw.data.column(name)))
    if not arrow.is_list(values.type):
        return stored
    told = [_sums(chunk, None if masked else pad) for chunk in values.take(rows).chunks]
    return np.concatenate(told) if told else stored


def _sums(chunk: Any, pad: int | None) -> Any:
    """Return for each list how many of its items are not zero, or not the padding."""
    import numpy as np
    import pyarrow.compute as pc

    flat = pc.list_flatten(chunk).to_numpy(zero_copy_only=False)
    ends = np.cumsum(pc.fill_null(pc.list_value_length(chunk), 0).to_numpy().astype(np.int64))
    counted = np.concatenate([[0], np.cumsum(flat != (0 if pad is None else pad))])
    return counted[ends] - counted[np.concatenate([[0], ends[:-1]])]


def left_out(found: Source) -> Any:
    """
    Return the places in the table of rows without any label that a filter has taken out again.

    What a filter takes out stays in the table. Where rows were left out for another reason, some
    of them have labels; then nothing is counted.
    """
    import numpy as np
    import pyarrow.compute as pc

    nothing = np.arange(0)
    order = getattr(found.raw, "_indices", None)
    names = found.raw.column_names
    if order is None or "labels" not in names:
        return nothing
    values = arrow.plain(found.raw.data.column("labels"))
    kept = np.unique(order.column(0).to_numpy())
    if not arrow.is_list(values.type) or len(values) <= len(kept) or len(values) > MOST:
        return nothing
    out = np.setdiff1d(np.arange(len(values)), kept)
    labels = values.take(out)
    flat = pc.list_flatten(labels)
    return nothing if pc.any(pc.not_equal(flat, IGNORED)).as_py() else out
