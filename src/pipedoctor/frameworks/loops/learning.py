"""Whether a training loop can learn the first batch that it made, and at which rates it learns."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.overfit import Overfit
from pipedoctor.facts.range_test import RangeTest
from pipedoctor.facts.step import Step
from pipedoctor.facts.usual_rates import UsualRates
from pipedoctor.frameworks.data.batches import Collated
from pipedoctor.frameworks.learning.measure import Learned
from pipedoctor.frameworks.loops.first_batch import FirstBatch, parts
from pipedoctor.frameworks.loops.seen import Seen
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe

NOTE = (
    "the batch is the first one of the loop, with its rows counted from 0; all begins where the loop "
    "began, and the gradient is not clipped"
)


RATES = (
    "the batches are the first ones of the loop; all begins where the loop began, at the rate that its "
    "optimizer has there, and the gradient is not clipped"
)


@dataclass(frozen=True)
class Beginning:
    """Where a loop began: a pipeline of its first batch, and its model; the weights are put back."""

    inner: Pipeline
    first: FirstBatch


def beginning(pipeline: Pipeline) -> Beginning:
    """
    Go back to where the loop began.

    Raises:
        Unavailable: Its loss can't be computed outside of it, or nothing that is known steps it.

    """
    from pipedoctor import frameworks

    recording = pipeline.fact(Seen).digest.recording
    first = recording.first
    if first is None:
        raise Unavailable(recording.no_first or "the loop has differentiated no loss")
    held = {id(p) for p in first.module.parameters()}
    mine = [
        one for one in recording.optimizers if any(id(p) in held for p in one.parameters)
    ] or recording.optimizers[:1]
    if len(mine) != 1:
        raise Unavailable(f"{len(mine)} optimizers step what the first loss depends on")
    stepped = mine[0]
    first.begin_anew()
    if stepped.began is not None:
        stepped.optimizer.load_state_dict(stepped.began)
    wishes = {n: pipeline.parts[n] for n in ("overfit", "range_test") if n in pipeline.parts}
    run = pipeline.parts.get("run", {})
    given = Parts({**parts(first, stepped.optimizer), **wishes, "run": run})
    return Beginning(Pipeline(given, frameworks.probes(given), Cost.TRAINING), first)


@probe(Learned, Cost.TRAINING, "overfit", "loop", user_code=True)
def learned(pipeline: Pipeline, _split: Split) -> Learned:
    """Go back to where the loop began, train on its first batch, and put everything back."""
    from pipedoctor.frameworks.learning.measure import measure
    from pipedoctor.frameworks.torch import on_device

    began = beginning(pipeline)
    found = measure(began.inner, began.first.module, on_device)
    notes = tuple(n for n in found.overfit.notes if "unscheduled" not in n)
    return replace(found, overfit=replace(found.overfit, notes=(NOTE, *notes)))


@probe(Overfit, Cost.TRAINING, "overfit", "loop")
def overfit(pipeline: Pipeline, _split: Split) -> Overfit:
    """Say whether one batch can be learned."""
    return pipeline.fact(Learned).overfit


@probe(Step, Cost.TRAINING, "overfit", "loop")
def one_step(pipeline: Pipeline, _split: Split) -> Step:
    """Say what the first update changed."""
    step = pipeline.fact(Learned).step
    if step is None:
        raise Unavailable("no update was made")
    return step


@probe(RangeTest, Cost.TRAINING, "range_test", "loop", user_code=True)
def range_test(pipeline: Pipeline, _split: Split) -> RangeTest:
    """Go back to where the loop began, try rates on its first batches, and put everything back."""
    from pipedoctor.frameworks.rates.torch_measure import measure
    from pipedoctor.frameworks.torch import on_device

    began = beginning(pipeline)
    rows, arrays = began.first.rows, (began.first.arrays, *began.first.later)
    made = [
        Collated(tuple(range(number * rows, (number + 1) * rows)), one)
        for number, one in enumerate(arrays)
    ]
    found = measure(began.inner, began.first.module, on_device, made)
    notes = tuple(n for n in found.notes if "unscheduled" not in n)
    return replace(found, notes=(RATES, *notes))


@probe(UsualRates, Cost.TRAINING, "range_test", "loop")
def usual_rates(pipeline: Pipeline, _split: Split) -> UsualRates:
    """Say what is usual for the model that the loop trains."""
    return beginning(pipeline).inner.fact(UsualRates)
