"""The fact `SpoiltLabels`: the rows whose label is not finite are run, and their loss is told."""

from __future__ import annotations

from math import isfinite
from typing import Any

from pipedoctor.fact import Split, Unavailable
from pipedoctor.facts.spoilt_labels import SpoiltLabels
from pipedoctor.frameworks.data import features
from pipedoctor.frameworks.data.reading import Read
from pipedoctor.frameworks.data.source import source
from pipedoctor.frameworks.training.loss_of_rows import OnDevice, loss_of
from pipedoctor.pipeline import Pipeline
from pipedoctor.probes.feeding import label_columns

MOST = 8
"""So many such rows are run."""


def measure(pipeline: Pipeline, model: Any, on_device: OnDevice) -> SpoiltLabels:
    """Find the rows, and run the first of them without dropout."""
    name, bad, looked = _bad(pipeline)
    rows = bad[:MOST]
    if not rows:
        return SpoiltLabels(name, 0, looked)
    loss = loss_of(pipeline, model, on_device, rows)
    return SpoiltLabels(name, len(bad), looked, rows, loss)


def _bad(pipeline: Pipeline) -> tuple[str, tuple[int, ...], int]:
    """Return the column of labels, the rows in which it is not finite, and how many were read."""
    if "datasets" not in pipeline.parts.packages("train_data"):
        read = pipeline.fact(Read, Split.TRAIN)
        name = next((n for n in label_columns(pipeline) if n in read.columns), None)
        if name is None:
            raise Unavailable("the rows have no labels")
        values = read.columns[name].values
        return name, tuple(row for row in sorted(values) if _is_bad(values[row])), len(values)
    import numpy as np

    found = source(pipeline, Split.TRAIN)
    if found.transform is not None or found.prepared is not None:
        raise Unavailable("the rows are made when they are asked for")
    name = found.label(label_columns(pipeline))
    column = found.labels(name)
    matrix, drawn = features.matrix(column) if not column.null_count else (None, None)
    if matrix is None or drawn is None:
        raise Unavailable("the labels are no floats")
    bad = np.flatnonzero(~np.isfinite(matrix).all(1))
    return name, tuple(int(drawn[place]) for place in bad), len(matrix)


def _is_bad(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_is_bad, value))
    return isinstance(value, float) and not isfinite(value)
