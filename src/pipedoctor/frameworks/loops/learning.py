"""Whether a training loop can learn the first batch that it made."""

from __future__ import annotations

from dataclasses import replace

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.overfit import Overfit
from pipedoctor.facts.step import Step
from pipedoctor.frameworks.learning.measure import Learned
from pipedoctor.frameworks.loops.first_batch import parts
from pipedoctor.frameworks.loops.seen import Seen
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe

NOTE = (
    "the batch is the first one of the loop, with its rows counted from 0; all begins where the loop "
    "began, and the gradient is not clipped"
)


@probe(Learned, Cost.TRAINING, "overfit", "loop", user_code=True)
def learned(pipeline: Pipeline, _split: Split) -> Learned:
    """Go back to where the loop began, train on its first batch, and put everything back."""
    from pipedoctor import frameworks
    from pipedoctor.frameworks.learning.measure import measure
    from pipedoctor.frameworks.torch import on_device

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
    wishes = pipeline.parts.get("overfit") or {}
    given = Parts(
        {**parts(first, stepped.optimizer, wishes), "run": pipeline.parts.get("run", {})}
    )
    inner = Pipeline(given, frameworks.probes(given), Cost.TRAINING)
    found = measure(inner, first.module, on_device)
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
