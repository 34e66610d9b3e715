"""What a compiled model of Keras and its call of `fit` tell; for TensorFlow, torch and JAX."""

from __future__ import annotations

from typing import Any

from pipedoctor.fact import Cost, Split
from pipedoctor.facts.batch import Array, Batch
from pipedoctor.facts.compiled import Compiled
from pipedoctor.facts.fit import Fit
from pipedoctor.facts.forward import Forward
from pipedoctor.facts.gradients import Gradients
from pipedoctor.facts.inputs import Inputs
from pipedoctor.facts.labels import Labels
from pipedoctor.facts.layers import Layers
from pipedoctor.facts.learning_rate import LearningRate
from pipedoctor.facts.model import Model, Parameter
from pipedoctor.facts.optimizer import Group, Optimizer
from pipedoctor.facts.outputs import Outputs
from pipedoctor.facts.schedule import Schedule
from pipedoctor.frameworks.fitting import (
    building,
    calling,
    compiling,
    drawing,
    outputs,
    scanning,
    stack,
    step,
    telling,
)
from pipedoctor.frameworks.fitting.building import Ready
from pipedoctor.frameworks.fitting.capture import fitted, watched
from pipedoctor.frameworks.fitting.drawing import First
from pipedoctor.frameworks.fitting.library import named, plain
from pipedoctor.frameworks.fitting.scanning import Scan
from pipedoctor.frameworks.fitting.step import Answered
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe

__all__ = ["fitted", "watched"]


@probe(First, Cost.DATA, "model", "{data}", user_code=True)
def first(pipeline: Pipeline, split: Split) -> First:
    """Draw the first batch as fit would."""
    return drawing.first(pipeline, split)


@probe(Scan, Cost.DATA, "model", "{data}", user_code=True)
def scan(pipeline: Pipeline, split: Split) -> Scan:
    """Look through the data."""
    return scanning.scan(pipeline, split)


@probe(Inputs, Cost.DATA, "model", "{data}", user_code=True)
def inputs(pipeline: Pipeline, split: Split) -> Inputs:
    """Tell the numbers that go into the model."""
    return telling.inputs(pipeline, split)


@probe(Labels, Cost.DATA, "model", "{data}", user_code=True)
def labels(pipeline: Pipeline, split: Split) -> Labels:
    """Count the labels."""
    return telling.labels(pipeline, split)


@probe(Batch, Cost.DATA, "model", "{data}", user_code=True)
def batch(pipeline: Pipeline, split: Split) -> Batch:
    """Say what really enters the model."""
    drawn = pipeline.fact(First, split).batch
    leaves = named(drawn.x, "")
    names = telling.input_names(pipeline.part("model"), [name for name, _ in leaves])
    arrays = {name: _array(leaf) for name, (_, leaf) in zip(names, leaves, strict=True)}
    for name, leaf in named(drawn.y, ""):
        arrays[f"labels/{name}" if name else "labels"] = _array(leaf)
    if drawn.sample_weight is not None:
        for name, leaf in named(drawn.sample_weight, ""):
            arrays[f"sample_weight/{name}" if name else "sample_weight"] = _array(leaf)
    return Batch(arrays=arrays, rows=drawn.size)


def _array(leaf: Any) -> Array:
    dtype = getattr(leaf.dtype, "name", None) or str(leaf.dtype).removeprefix("torch.")
    return Array(tuple(int(size or 0) for size in leaf.shape), dtype)


@probe(Fit, Cost.DATA, "model", "train_data", user_code=True)
def fit(pipeline: Pipeline, _split: Split) -> Fit:
    """Say how fit is called."""
    return calling.describe(pipeline)


@probe(Ready, Cost.MODEL, "model", user_code=True)
def ready(pipeline: Pipeline, _split: Split) -> Ready:
    """Build the model, if that is left to do."""
    return building.ready(pipeline)


@probe(Compiled, Cost.MODEL, "model", user_code=True)
def compiled(pipeline: Pipeline, _split: Split) -> Compiled:
    """Say how the model is compiled."""
    return compiling.describe(pipeline)


@probe(Layers, Cost.MODEL, "model", user_code=True)
def layers(pipeline: Pipeline, _split: Split) -> Layers:
    """Say what each layer is."""
    return stack.describe(pipeline)


@probe(Model, Cost.MODEL, "model", user_code=True)
def model(pipeline: Pipeline, _split: Split) -> Model:
    """Name the parameters."""
    part = pipeline.fact(Ready).model
    return Model(
        name=type(part).__name__,
        parameters={
            variable.path: Parameter(
                tuple(int(size) for size in variable.shape),
                str(variable.dtype),
                any(variable is one for one in part.trainable_variables),
            )
            for variable in part.weights
        },
    )


@probe(Optimizer, Cost.MODEL, "model", user_code=True)
def optimizer(pipeline: Pipeline, _split: Split) -> Optimizer:
    """Say what the optimizer updates: all that is trainable."""
    part, told = pipeline.fact(Ready).model, pipeline.fact(Compiled)
    sizes = {
        v.path: Parameter(tuple(map(int, v.shape)), "", True).size
        for v in part.trainable_variables
    }
    rate = told.learning_rate if told.known("learning_rate") else None
    decay = plain(told.hyper.get("weight_decay"))
    return Optimizer(
        name=told.optimizer,
        groups=(Group(tuple(sizes), rate, decay),),
        missing={},
        strangers=(),
        trainable=sum(sizes.values()),
        given=not told.optimizer_by_name,
    )


@probe(Schedule, Cost.DATA, "model", "train_data")
def schedule(pipeline: Pipeline, _split: Split) -> Schedule:
    """Count the updates."""
    return calling.schedule(pipeline)


@probe(LearningRate, Cost.MODEL, "model", "train_data")
def learning_rate(pipeline: Pipeline, _split: Split) -> LearningRate:
    """Say which rate each update is made with."""
    return calling.learning_rate(pipeline)


@probe(Answered, Cost.FORWARD, "model", "{data}", user_code=True)
def answered(pipeline: Pipeline, split: Split) -> Answered:
    """Have the model answer the first batch."""
    return step.answered(pipeline, split)


@probe(Outputs, Cost.FORWARD, "model", user_code=True)
def ends(pipeline: Pipeline, _split: Split) -> Outputs:
    """Say what comes out of the model."""
    return outputs.describe(pipeline)


@probe(Forward, Cost.FORWARD, "model", "{data}", user_code=True)
def forward(pipeline: Pipeline, split: Split) -> Forward:
    """Tell the loss of the first batch."""
    return step.forward(pipeline, split)


@probe(Gradients, Cost.BACKWARD, "model", "train_data", user_code=True)
def gradients(pipeline: Pipeline, _split: Split) -> Gradients:
    """Run the first batch forwards and backwards, as a training step would."""
    return step.gradients(pipeline)
