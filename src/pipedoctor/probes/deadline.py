"""Whether the examination ran out of time: it did not, unless somebody says so."""

from __future__ import annotations

from collections.abc import Mapping

from pipedoctor.fact import Cost, Split
from pipedoctor.facts.deadline import Deadline
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe


@probe(Deadline, Cost.STATIC)
def deadline(pipeline: Pipeline, _split: Split) -> Deadline:
    """Take over what the environment states; a parent that stops its child states it itself."""
    environment = pipeline.parts.get("environment", {})
    stated = environment if isinstance(environment, Mapping) else {}
    return Deadline(float(stated.get("time_limit", 0)), stated.get("stopped_while"))
