"""What is known of a run before its rates are tried: how long it is, and how long it may be tried."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipedoctor.clock import Clock
from pipedoctor.facts.learning_rate import LearningRate
from pipedoctor.facts.schedule import Schedule
from pipedoctor.frameworks.rates.judging import Own
from pipedoctor.frameworks.rates.sweep import STEPS
from pipedoctor.pipeline import Pipeline


def own(pipeline: Pipeline, rate: float) -> Own:
    """Return the user's own rate, with the run that is made with it."""
    schedule = pipeline.optional(Schedule)
    if schedule is None or not schedule.known("total_steps"):
        return Own(rate)
    total = schedule.total_steps
    known = pipeline.optional(LearningRate)
    if known is None or known.value <= 0:
        return Own(rate, total, rate * total)
    return Own(rate, total, rate * known.reach / known.value)


def wished(pipeline: Pipeline) -> tuple[int, Clock]:
    """Return how many steps the test may make, and the clock that says until when."""
    wishes: Mapping[str, Any] = pipeline.parts.get("range_test") or {}
    return int(wishes.get("steps") or STEPS), Clock.of(pipeline.parts.get("run"))
