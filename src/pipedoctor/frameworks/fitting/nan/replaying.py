"""The fact `Trace` of a step of a fit that a flight recorder kept."""

from __future__ import annotations

from dataclasses import replace

from pipedoctor.fact import UNKNOWN, Unavailable
from pipedoctor.facts.trace import Trace
from pipedoctor.frameworks.fitting import borrowed, building
from pipedoctor.frameworks.fitting.building import Ready
from pipedoctor.frameworks.fitting.library import is_compiled
from pipedoctor.frameworks.fitting.nan import engine
from pipedoctor.frameworks.fitting.nan.search import told
from pipedoctor.frameworks.fitting.untouched import untouched
from pipedoctor.pipeline import Pipeline
from pipedoctor.recorder.capsule import CapsuleError


def measure(pipeline: Pipeline, path: str) -> Trace:
    """Run the step of a capsule with the model of the target, and look at its operations."""
    from pipedoctor.recorder.keras import capsule

    part, library = building.model(pipeline)
    if not is_compiled(part):
        raise Unavailable("the model is not compiled: it has no loss")
    try:
        kept = capsule.read(path)
        if not building.is_built(part):
            building.by_fit(part, library, kept.batch)
        with untouched(part):
            capsule.prepare(kept, part)
            names = borrowed.label_names(part)
            x, y = borrowed.moved(names, kept.batch.x, kept.batch.y)
            batch = replace(kept.batch, x=x, y=y)
            runs = engine.of(Ready(part, library, built=True))
            standing = runs.standing()
            outcome = runs.run(batch, update=False)
            notes = _notes(kept, outcome.loss)
            trace = Trace(
                batches=1,
                steps=1,
                step=kept.step,
                loss=UNKNOWN if outcome.loss is None else outcome.loss,
                notes=notes,
            )
            if not outcome.bad:
                return trace
            found = runs.trace(batch, standing)
    except CapsuleError as error:
        raise Unavailable(str(error)) from None
    return told(replace(trace, batch=0), batch, found)


def _notes(kept: object, loss: float | None) -> tuple[str, ...]:
    recorded = getattr(kept, "loss", None)
    if recorded is None or loss is None:
        return ()
    if repr(recorded) == repr(loss):
        return ("the loss is bit for bit the recorded one",)
    return (f"the loss is {loss:.9g}, and {recorded:.9g} was recorded in a compiled step",)
