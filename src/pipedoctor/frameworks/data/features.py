"""Columns of numbers that are inputs, by Arrow and numpy: ranges, and what is not finite."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.columns import Columns, is_input
from pipedoctor.facts.features import Feature, Features
from pipedoctor.finding import Location
from pipedoctor.frameworks.data import arrow
from pipedoctor.frameworks.data.source import source
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes.feeding import label_columns

WIDEST = 1024
"""Lists of more numbers are images or sounds, whose places are no features."""

MOST = 20_000_000
"""So many numbers of a column are looked at; of more, rows are drawn at random."""

SHOWN = 3


@probe(Features, Cost.DATA, "{data}")
def features(pipeline: Pipeline, split: Split) -> Features:
    """Look at each column of floats that goes into the model."""
    found = source(pipeline, split)
    if found.transform is not None or found.prepared is not None:
        raise Unavailable("the rows are made when they are asked for")
    columns = pipeline.fact(Columns, split)
    if not (columns.known("accepted") and columns.known("filtered")):
        raise Unavailable("which columns reach the model is not known")
    labels = label_columns(pipeline)
    told: dict[str, Feature] = {}
    rows = len(found)
    looked = rows
    for name in columns.kept:
        if not is_input(name) or name in labels:
            continue
        values = arrow.in_order(found.raw, arrow.plain(found.raw.data.column(name)))
        held, drawn = matrix(values)
        if held is not None:
            looked = min(looked, len(held))
            told |= dict(_described(name, held, drawn))
    if not told:
        raise Unavailable("no column of floats is an input")
    where = Location(file=found.file, split=split.value)
    return Features(told, looked, rows if looked < rows else None, where)


def matrix(values: Any) -> tuple[Any, Any]:
    """Return a column as rows of floats, and which rows these are; None if it is no such column."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    lists = arrow.is_list(values.type)
    inner = values.type.value_type if lists else values.type
    if not pa.types.is_floating(inner) or not len(values):
        return None, None
    width = 1
    if lists:
        ends = pc.min_max(pc.list_value_length(values)).as_py()
        width = ends["min"] or 0
        if ends["min"] != ends["max"] or not 0 < width <= WIDEST or values.null_count:
            return None, None
    rows = np.arange(len(values))
    if len(rows) * width > MOST:
        rows = np.sort(np.random.default_rng(0).choice(rows, MOST // width, replace=False))
        values = values.take(rows)
    flat = pc.list_flatten(values) if lists else values
    held = flat.cast("float64").fill_null(float("nan")).to_numpy()
    return held.reshape(-1, width), rows


def _described(name: str, matrix: Any, rows: Any) -> Iterator[tuple[str, Feature]]:
    import numpy as np

    finite = np.isfinite(matrix)
    whole = bool(finite.all())
    for place in range(matrix.shape[1]):
        good = matrix[:, place] if whole else matrix[finite[:, place], place]
        bad = () if whole else np.flatnonzero(~finite[:, place])
        if not len(good):
            good = np.full(1, np.nan)
        yield (
            name if matrix.shape[1] == 1 else f"{name}[{place}]",
            Feature(
                minimum=float(good.min()),
                maximum=float(good.max()),
                mean=float(good.mean()),
                deviation=float(good.std()),
                not_finite=len(bad),
                first_bad=tuple(int(rows[n]) for n in bad[:SHOWN]),
            ),
        )
