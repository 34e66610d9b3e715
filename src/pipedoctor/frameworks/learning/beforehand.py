"""What is known of a run before one batch of it is trained on: what it holds, how long it is."""

from __future__ import annotations

from typing import Any

from pipedoctor.facts.learning_rate import LearningRate
from pipedoctor.facts.schedule import Schedule
from pipedoctor.frameworks.learning.given_schedule import given
from pipedoctor.frameworks.learning.torch_learner import peak
from pipedoctor.frameworks.learning.verdicts import Seen
from pipedoctor.pipeline import Pipeline

LARGE_DECAY = 0.3
"""Weight decay up to this is usual; where a step still takes much off, the rate is to blame."""


def beforehand(pipeline: Pipeline, model: Any, optimizer: Any) -> Seen:
    """Return what is known without training."""
    trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
    groups = optimizer.param_groups
    held = {id(p) for group in groups for p in group["params"]}
    rates = tuple(float(peak(group)) for group in groups)
    decays = (float(group.get("weight_decay") or 0.0) for group in groups)
    taken = [r * d for r, d in zip(rates, decays, strict=True) if d > LARGE_DECAY]
    seen = Seen(
        trainable=len(trained),
        held=sum(id(p) in held for p in trained.values()),
        missing={n: p.numel() for n, p in trained.items() if id(p) not in held},
        rates=rates,
        decay=max(taken, default=0.0),
        adam="adam" in type(optimizer).__name__.lower(),
    )
    schedule = pipeline.optional(Schedule)
    if schedule is None or not schedule.known("total_steps"):
        return seen
    seen.total, seen.planned = schedule.total_steps, float(schedule.total_steps)
    seen.warmup = schedule.warmup_steps if schedule.known("warmup_steps") else 0
    own = getattr(pipeline.parts.get("trainer"), "lr_scheduler", None)
    if own is not None:
        told = given(own, seen.total)
        seen.warmup = 0  # what the settings say of it is not heeded
        seen.planned = float(seen.total) if told is None else told.reach
        if told is not None:
            seen.factor = told.reach / seen.total
            seen.spent = None if told.spent is None else (told.name, told.spent)
        return seen
    rate = pipeline.optional(LearningRate)
    if rate is not None and rate.value > 0 and seen.total:
        seen.planned = rate.reach / rate.value
        seen.factor = seen.planned / seen.total
    return seen
