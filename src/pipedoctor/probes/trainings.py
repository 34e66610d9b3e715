"""How a script came to its training: told by whoever ran it."""

from __future__ import annotations

from collections.abc import Mapping

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.trainings import Trainings
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe


@probe(Trainings, Cost.MODEL, user_code=True)
def trainings(pipeline: Pipeline, _split: Split) -> Trainings:
    """Take over what the run of the script yielded; raise what the script raised."""
    environment = pipeline.parts.get("environment")
    told = environment.get("script") if isinstance(environment, Mapping) else None
    if not isinstance(told, Mapping):
        raise Unavailable("it is no script")
    if told.get("error") is not None:
        raise told["error"]
    return Trainings(started=told["trainings"], ended=told["ended"])
