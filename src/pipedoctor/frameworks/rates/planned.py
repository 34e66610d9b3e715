"""What is known of a run before its rates are tried: how long it is, and how long it may be tried."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from pipedoctor.facts.learning_rate import LearningRate
from pipedoctor.facts.schedule import Schedule
from pipedoctor.frameworks.rates.judging import Own
from pipedoctor.frameworks.rates.sweep import STEPS
from pipedoctor.pipeline import Pipeline

SHARE = 0.8
"""The share of the time limit that may be spent."""


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


def wished(pipeline: Pipeline) -> tuple[int, float]:
    """Return how many steps the test may make, and until when."""
    wishes: Mapping[str, Any] = pipeline.parts.get("range_test") or {}
    limit = pipeline.parts.get("run", {}).get("time_limit")
    deadline = time.monotonic() + SHARE * limit if limit else float("inf")
    return int(wishes.get("steps") or STEPS), deadline
