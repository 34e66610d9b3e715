"""The first batch of a fit for people to look at, and what the model answers to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipedoctor.fact import Split, Unavailable
from pipedoctor.facts.forward import Forward
from pipedoctor.facts.outputs import Output, Outputs
from pipedoctor.facts.predictions import Predictions
from pipedoctor.frameworks.data.batches import Batches, Collated
from pipedoctor.frameworks.fitting.building import Ready
from pipedoctor.frameworks.fitting.drawing import Drawn, First, at_rows, fed
from pipedoctor.frameworks.fitting.library import named, to_numpy
from pipedoctor.frameworks.fitting.step import call
from pipedoctor.frameworks.fitting.telling import input_names
from pipedoctor.frameworks.predicting import Answer, meant
from pipedoctor.pipeline import Pipeline
from pipedoctor.probes.preview.labels import read
from pipedoctor.probes.preview.rows import Chosen, groups

SMALLEST = 1e-12
"""A probability of 0 has no logarithm."""


def batches(pipeline: Pipeline, split: Split) -> Batches:
    """Give the first batch under names."""
    return Batches((_collated(pipeline, pipeline.fact(First, split).batch),))


def chosen(pipeline: Pipeline, split: Split) -> Chosen:
    """
    Make a batch of the rows that were asked for.

    Raises:
        Unavailable: The data numbers no rows, or has none of these numbers.

    """
    data = fed(pipeline, split)
    rows = tuple(pipeline.parts.get("run", {}).get("shown", ()))
    return Chosen(_collated(pipeline, at_rows(data, rows)))


def _collated(pipeline: Pipeline, batch: Drawn) -> Collated:
    arrays = named_arrays(pipeline, batch)
    return Collated(batch.rows or tuple(range(batch.size)), arrays)


def named_arrays(pipeline: Pipeline, batch: Drawn) -> dict[str, Any]:
    """Return the arrays of a batch under the names of inputs, "labels" and "sample_weight"."""
    leaves = named(batch.x, "")
    names = input_names(pipeline.part("model"), [name for name, _ in leaves])
    arrays = {name: leaf for name, (_, leaf) in zip(names, leaves, strict=True)}
    for word, structure in (("labels", batch.y), ("sample_weight", batch.sample_weight)):
        for name, leaf in named(structure, ""):
            arrays[f"{word}/{name}" if name else word] = leaf
    return {name: _shown(leaf) for name, leaf in arrays.items()}


def _shown(leaf: Any) -> Any:
    array = to_numpy(leaf)
    if array is None:
        return leaf
    if array.dtype.kind == "O" and array.size and isinstance(array.reshape(-1)[0], bytes):
        import numpy as np

        return np.char.decode(array.astype("S"), errors="replace")
    return array


def predictions(pipeline: Pipeline, split: Split) -> Predictions:
    """
    Say what the model answers to the rows that are shown.

    Raises:
        Unavailable: It has several outputs.

    """
    ends = pipeline.fact(Outputs).outputs
    if len(ends) != 1:
        raise Unavailable(f"the model has {len(ends)} outputs, whose answers are not shown yet")
    ready, made = pipeline.fact(Ready), groups(pipeline, split)
    batch = _batch(pipeline, split)
    answer = to_numpy(next(leaf for _, leaf in named(call(ready, batch), "")))
    forward = pipeline.optional(Forward, split)
    same = forward is not None and not pipeline.parts.get("run", {}).get("shown", ())
    loss = forward.loss if same and forward is not None and forward.known("loss") else None
    losses = (
        forward.row_losses
        if same and forward is not None and forward.known("row_losses")
        else None
    )
    reading = read(pipeline, split, made[0].arrays)
    several = ends[0].activation == "sigmoid" and (ends[0].units or 1) > 1
    classes = _classes(ends[0])
    reading = replace(reading, multi=several, regression=not (several or classes))
    return meant(made, (Answer(_logits(answer, ends[0]), loss, losses),), reading)


def _batch(pipeline: Pipeline, split: Split) -> Drawn:
    rows = tuple(pipeline.parts.get("run", {}).get("shown", ()))
    return at_rows(fed(pipeline, split), rows) if rows else pipeline.fact(First, split).batch


def _classes(end: Output) -> bool:
    """Whether the units of an output stand for one class each."""
    if end.activation == "softmax":
        return True
    return end.loss is not None and "categorical" in end.loss.name


def _logits(answer: Any, end: Output) -> Any:
    """Return logits for probabilities: what is shown is made of these."""
    import numpy as np

    if answer is None or end.activation not in {"softmax", "sigmoid"} or (end.units or 1) < 2:
        return answer
    shares = np.clip(answer.astype("float64"), SMALLEST, 1.0)
    if end.activation == "softmax":
        return np.log(shares)
    return np.log(shares) - np.log(np.clip(1.0 - shares, SMALLEST, 1.0))
