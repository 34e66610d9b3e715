"""Whether the examination ran out of time: told by whoever watches it."""

from __future__ import annotations

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.deadline import Deadline
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe


@probe(Deadline, Cost.MODEL, "run")
def deadline(pipeline: Pipeline, _split: Split) -> Deadline:
    """Take over what was told."""
    told = pipeline.part("run")
    if "time_limit" not in told:
        raise Unavailable("no time limit is set")
    return Deadline(float(told["time_limit"]), told.get("stopped_while"))
