"""What a training loop of the script's own tells, from its first steps as they happened."""

from __future__ import annotations

from typing import TypeVar

from pipedoctor.fact import Cost, Fact, Split, Unavailable
from pipedoctor.facts.gradients import Gradients
from pipedoctor.facts.label_order import LabelOrder
from pipedoctor.facts.label_shift import LabelShift
from pipedoctor.facts.loaded_states import LoadedStates
from pipedoctor.facts.loop import Loop
from pipedoctor.facts.model import Model
from pipedoctor.facts.optimizer import Optimizer
from pipedoctor.facts.short_runs import ShortRuns
from pipedoctor.facts.trace import Trace
from pipedoctor.frameworks.loops.seen import Seen, watched
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe

F = TypeVar("F", bound=Fact)


@probe(Seen, Cost.BACKWARD, "loop", user_code=True)
def seen(pipeline: Pipeline, _split: Split) -> Seen:
    """Take what was seen of the script's own loop; run a function that is one."""
    return watched(pipeline)


@probe(Loop, Cost.BACKWARD, "loop", user_code=True)
def loop(pipeline: Pipeline, _split: Split) -> Loop:
    """Say what happened in each step."""
    return _told(pipeline, Loop)


@probe(Model, Cost.BACKWARD, "loop", user_code=True)
def model(pipeline: Pipeline, _split: Split) -> Model:
    """Say what the loop trains."""
    return _told(pipeline, Model)


@probe(Gradients, Cost.BACKWARD, "loop", user_code=True)
def gradients(pipeline: Pipeline, _split: Split) -> Gradients:
    """Say which parameters the losses have given a gradient to."""
    return _told(pipeline, Gradients)


@probe(Optimizer, Cost.BACKWARD, "loop", user_code=True)
def optimizer(pipeline: Pipeline, _split: Split) -> Optimizer:
    """Say what the optimizers that were stepped hold, all together."""
    return _told(pipeline, Optimizer)


@probe(Trace, Cost.BACKWARD, "loop", user_code=True)
def trace(pipeline: Pipeline, _split: Split) -> Trace:
    """Say where a value that is not finite was born, if there was one."""
    return _told(pipeline, Trace)


@probe(ShortRuns, Cost.BACKWARD, "loop", user_code=True)
def short_runs(pipeline: Pipeline, _split: Split) -> ShortRuns:
    """Say what the rate of the loop has come to."""
    return _told(pipeline, ShortRuns)


@probe(LabelOrder, Cost.BACKWARD, "loop", user_code=True)
def label_order(pipeline: Pipeline, split: Split) -> LabelOrder:
    """Say in which order the loop got the labels."""
    if split is not Split.TRAIN:
        raise Unavailable("a loop shows the data that it trains on only")
    return _told(pipeline, LabelOrder)


@probe(LabelShift, Cost.BACKWARD, "loop", user_code=True)
def label_shift(pipeline: Pipeline, _split: Split) -> LabelShift:
    """Compare labels with tokens in the first call of the model."""
    return _told(pipeline, LabelShift)


@probe(LoadedStates, Cost.BACKWARD, "loop", user_code=True)
def loads_of_function(pipeline: Pipeline, _split: Split) -> LoadedStates:
    """Take the weights that the loop has loaded."""
    return LoadedStates(pipeline.fact(Seen).loads)


@probe(LoadedStates, Cost.MODEL, "loads")
def loads(pipeline: Pipeline, _split: Split) -> LoadedStates:
    """Take the weights that the script has loaded before its training."""
    return LoadedStates(tuple(pipeline.part("loads")))


def _told(pipeline: Pipeline, kind: type[F]) -> F:
    fact = pipeline.fact(Seen).digest.fact(kind)
    assert isinstance(fact, kind)
    return fact
