"""How a script came to its training: told by whoever ran it."""

from __future__ import annotations

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.trainings import Trainings
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe


@probe(Trainings, Cost.MODEL, "run", user_code=True)
def trainings(pipeline: Pipeline, _split: Split) -> Trainings:
    """Take over what the run of the script yielded; raise what the script raised."""
    told = pipeline.part("run")
    if told.get("error") is not None:
        raise told["error"]
    if "trainings" not in told:
        raise Unavailable("no script was run")
    known = {name: told[name] for name in ("passes", "calls") if name in told}
    return Trainings(started=told["trainings"], ended=told["ended"], **known)
