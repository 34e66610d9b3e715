"""What a compiled model of Keras and its call of `fit` tell; for TensorFlow, torch and JAX."""

from __future__ import annotations

from typing import Any

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.batch import Array, Batch
from pipedoctor.facts.compiled import Compiled
from pipedoctor.facts.features import Features
from pipedoctor.facts.fit import Fit
from pipedoctor.facts.forward import Forward
from pipedoctor.facts.gradients import Gradients
from pipedoctor.facts.inputs import Inputs
from pipedoctor.facts.labels import Labels
from pipedoctor.facts.layers import Layers
from pipedoctor.facts.learnability import Learnability
from pipedoctor.facts.learning_rate import LearningRate
from pipedoctor.facts.memory_plan import MemoryPlan
from pipedoctor.facts.mixing import Mixing
from pipedoctor.facts.model import Model, Parameter
from pipedoctor.facts.optimizer import Group, Optimizer
from pipedoctor.facts.outputs import Outputs
from pipedoctor.facts.overfit import Overfit
from pipedoctor.facts.predictions import Predictions
from pipedoctor.facts.range_test import RangeTest
from pipedoctor.facts.rehearsal import Rehearsal
from pipedoctor.facts.reload import Reload
from pipedoctor.facts.schedule import Schedule
from pipedoctor.facts.step import Step
from pipedoctor.facts.trace import Trace
from pipedoctor.facts.usual_rates import UsualRates
from pipedoctor.frameworks.data.batches import Batches
from pipedoctor.frameworks.fitting import (
    building,
    calling,
    compiling,
    drawing,
    evaluating,
    mixing,
    outputs,
    reloading,
    scanning,
    showing,
    stack,
    step,
    telling,
)
from pipedoctor.frameworks.fitting.building import Ready
from pipedoctor.frameworks.fitting.capture import fitted, watched
from pipedoctor.frameworks.fitting.drawing import First
from pipedoctor.frameworks.fitting.lacking import (
    callbacks,
    collator,
    columns,
    end_token,
    evaluation,
    generation,
    head,
    label_tokens,
    samples,
    save,
    settings,
    token_rows,
    tokenizer,
    transform,
)
from pipedoctor.frameworks.fitting.library import path_of, plain
from pipedoctor.frameworks.fitting.scanning import Scan
from pipedoctor.frameworks.fitting.step import Answered
from pipedoctor.frameworks.learning.keras_fitted import Fitted
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes.preview.rows import Chosen

__all__ = [
    "callbacks",
    "collator",
    "columns",
    "end_token",
    "evaluation",
    "fitted",
    "generation",
    "head",
    "label_tokens",
    "samples",
    "save",
    "settings",
    "token_rows",
    "tokenizer",
    "transform",
    "watched",
]


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


@probe(Features, Cost.DATA, "model", "{data}", user_code=True)
def features(pipeline: Pipeline, split: Split) -> Features:
    """Tell which rows hold what is no number."""
    return telling.features(pipeline, split)


@probe(Labels, Cost.DATA, "model", "{data}", user_code=True)
def labels(pipeline: Pipeline, split: Split) -> Labels:
    """Count the labels."""
    return telling.labels(pipeline, split)


@probe(Batch, Cost.DATA, "model", "{data}", user_code=True)
def batch(pipeline: Pipeline, split: Split) -> Batch:
    """Say what really enters the model."""
    drawn = pipeline.fact(First, split).batch
    arrays = showing.named_arrays(pipeline, drawn)
    told = {name: _array(leaf) for name, leaf in arrays.items() if hasattr(leaf, "shape")}
    return Batch(arrays=told, rows=drawn.size)


def _array(leaf: Any) -> Array:
    shape = tuple(-1 if size is None else int(size) for size in leaf.shape)
    return Array(shape, str(getattr(leaf.dtype, "name", leaf.dtype)))


@probe(Batches, Cost.DATA, "model", "{data}", user_code=True)
def batches(pipeline: Pipeline, split: Split) -> Batches:
    """Give the first batch under names."""
    return showing.batches(pipeline, split)


@probe(Chosen, Cost.DATA, "model", "{data}", user_code=True)
def chosen(pipeline: Pipeline, split: Split) -> Chosen:
    """Make a batch of the rows that were asked for."""
    return showing.chosen(pipeline, split)


@probe(Predictions, Cost.FORWARD, "model", "{data}", user_code=True)
def predictions(pipeline: Pipeline, split: Split) -> Predictions:
    """Say what the model answers to the rows that are shown."""
    return showing.predictions(pipeline, split)


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
        library="keras",
        parameters={
            path_of(variable): Parameter(
                tuple(int(size) for size in variable.shape),
                str(getattr(variable.dtype, "name", variable.dtype)),
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
        path_of(v): Parameter(tuple(map(int, v.shape)), "", True).size
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


@probe(Mixing, Cost.FORWARD, "model", "train_data", user_code=True)
def rows_apart(pipeline: Pipeline, _split: Split) -> Mixing:
    """Run a few rows with one of them replaced."""
    return mixing.measure(pipeline)


@probe(Forward, Cost.FORWARD, "model", "{data}", user_code=True)
def forward(pipeline: Pipeline, split: Split) -> Forward:
    """Tell the loss of the first batch."""
    return step.forward(pipeline, split)


@probe(Rehearsal, Cost.FORWARD, "model", "eval_data", user_code=True)
def rehearsal(pipeline: Pipeline, _split: Split) -> Rehearsal:
    """Run a test_step of the user's own once."""
    return evaluating.rehearse(pipeline)


@probe(Gradients, Cost.BACKWARD, "model", "train_data", user_code=True)
def gradients(pipeline: Pipeline, _split: Split) -> Gradients:
    """Run the first batch forwards and backwards, as a training step would."""
    return step.gradients(pipeline)


@probe(Reload, Cost.MODEL, "model", "train_data", user_code=True)
def reload(pipeline: Pipeline, _split: Split) -> Reload:
    """Save the model and load it, if the run saves it."""
    return reloading.measure(pipeline)


@probe(Fitted, Cost.TRAINING, "overfit", "model", "train_data", user_code=True)
def fitted_to_one_batch(pipeline: Pipeline, _split: Split) -> Fitted:
    """Train on one batch, and put everything back."""
    from pipedoctor.frameworks.learning.keras_measure import measure

    return measure(pipeline)


@probe(Overfit, Cost.TRAINING, "overfit", "model", "train_data")
def overfit(pipeline: Pipeline, _split: Split) -> Overfit:
    """Say whether one batch can be learned."""
    return pipeline.fact(Fitted).overfit


@probe(Learnability, Cost.TRAINING, "overfit", "model", "train_data", user_code=True)
def learnability(pipeline: Pipeline, _split: Split) -> Learnability:
    """Train on some rows and ask for others, and put everything back."""
    from pipedoctor.frameworks.learnability.keras_trial import measure

    return measure(pipeline)


@probe(Step, Cost.TRAINING, "overfit", "model", "train_data")
def one_step(pipeline: Pipeline, _split: Split) -> Step:
    """Say what the first update changed."""
    made = pipeline.fact(Fitted).step
    if made is None:
        raise Unavailable("no update was made")
    return made


@probe(RangeTest, Cost.TRAINING, "range_test", "model", "train_data", user_code=True)
def range_test(pipeline: Pipeline, _split: Split) -> RangeTest:
    """Try learning rates, and put everything back."""
    from pipedoctor.frameworks.rates.keras_measure import measure

    return measure(pipeline)


@probe(UsualRates, Cost.MODEL, "model", user_code=True)
def usual_rates(pipeline: Pipeline, _split: Split) -> UsualRates:
    """Look up which rates are usual for such a model."""
    from pipedoctor.frameworks.rates.usual import measure

    told = pipeline.fact(Compiled)
    return measure(pipeline, told.optimizer, "", pretrained=bool(told.pretrained))


@probe(Trace, Cost.BACKWARD, "model", user_code=True)
def trace(pipeline: Pipeline, _split: Split) -> Trace:
    """Find out where a value that is not finite is born, if there is one."""
    from pipedoctor.frameworks.fitting.nan.search import measure

    return measure(pipeline)


@probe(MemoryPlan, Cost.MODEL, "model", "memory", user_code=True)
def memory(pipeline: Pipeline, _split: Split) -> MemoryPlan:
    """Go through a training step without values, and tell what it takes."""
    from pipedoctor.frameworks.memory.keras_measure import measure

    return measure(pipeline)
