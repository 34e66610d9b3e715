"""Which rows of the data of a fit of Keras make the batch that is learned."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipedoctor.fact import Split, Unavailable
from pipedoctor.frameworks.fitting.drawing import Drawn, First, at_rows, fed, taken
from pipedoctor.frameworks.fitting.scanning import Scan
from pipedoctor.frameworks.learning import choosing
from pipedoctor.frameworks.learning.keras_looks import KerasLook
from pipedoctor.pipeline import Pipeline

Chosen = tuple[Drawn, tuple[int, int] | None]


def batch(pipeline: Pipeline, notes: list[str]) -> Chosen:
    """Return the batch, and how many distinct labels it holds of how many; None: no classes."""
    first = pipeline.fact(First, Split.TRAIN).batch
    numbered = first.rows or tuple(range(first.size))
    try:
        chosen, classes = choosing.rows(pipeline, numbered)
        data = fed(pipeline, Split.TRAIN)
        drawn = replace(at_rows(data, chosen), rows=chosen)
        if KerasLook(drawn).alike and varied(pipeline):
            chosen = choosing.spaced(data.rows or 0, len(chosen))
            drawn = replace(at_rows(data, chosen), rows=chosen)
    except (Unavailable, TypeError, IndexError, KeyError):  # a stream has no rows by number
        notes.append("the rows are of the first batch of the data, which gives batches")
    else:
        return drawn, classes
    places, classes = _within(pipeline, first)
    x, y, weight = (taken(part, places) for part in (first.x, first.y, first.sample_weight))
    return Drawn(x, y, weight, tuple(places)), classes


def varied(pipeline: Pipeline) -> bool:
    """Whether the data is known to hold rows with different labels."""
    found = pipeline.optional(Scan, Split.TRAIN)
    return found is not None and any(
        one.low is not None and bool((one.low != one.high).any()) for one in found.labels
    )


def _within(pipeline: Pipeline, first: Drawn) -> tuple[list[int], tuple[int, int] | None]:
    """Return some rows of a batch: one of each label that it has, and then those at its start."""
    import numpy as np

    size = min(first.size, choosing.LARGEST)
    held = _classes(KerasLook(first))
    if held is None:
        return list(range(size)), None
    values, at = np.unique(held, return_index=True)
    kept = [int(place) for place in at[: choosing.MOST_CLASSES]]
    rest = [place for place in range(first.size) if place not in kept]
    found = pipeline.optional(Scan, Split.TRAIN)
    whole = found is not None and found.complete and len(found.labels) == 1
    there = (found.labels[0].classes if whole and found is not None else None) or len(values)
    return sorted(kept + rest[: max(0, size - len(kept))]), (len(kept), there)


def _classes(look: KerasLook) -> Any:
    """Return the class of each row; None where the labels are no classes."""
    if len(look.labels) != 1:
        return None
    (labels,) = look.labels
    if labels.size == look.rows:
        return labels.reshape(-1) if labels.dtype.kind in "biu" else None
    if labels.ndim != 2 or labels.dtype.kind not in "biuf":
        return None
    hot = ((labels == 0) | (labels == 1)).all() and (labels.sum(1) == 1).all()
    return labels.argmax(1) if hot else None
