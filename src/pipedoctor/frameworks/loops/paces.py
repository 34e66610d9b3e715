"""The schedules of a loop: how they were stepped, and where that leads to within an epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipedoctor.facts.loop import Pace
from pipedoctor.frameworks.loops.recording import Recording

SPENT = 1e-3
"""A learning rate below this share of the largest trains nothing any more."""


def paces(recording: Recording) -> Iterator[Pace]:
    """Yield the schedules of the optimizers that were stepped."""
    steered = {id(stepped.optimizer): stepped for stepped in recording.optimizers}
    epoch = _steps_an_epoch(recording)
    for thing in recording.schedules:
        stepped = steered.get(id(getattr(thing, "optimizer", None)))
        calls = getattr(thing, "_step_count", None)
        if stepped is None or not isinstance(calls, int):
            continue
        rates = [
            step.rate
            for step in recording.steps
            if step.optimizer == stepped.number and step.rate is not None
        ]
        if not rates:
            continue
        highest = max(range(len(rates)), key=rates.__getitem__)
        yield Pace(
            name=type(thing).__name__,
            variable="",
            calls=calls - 1,
            steps=len(rates),
            first_rate=rates[highest],
            last_rate=rates[-1],
            spent=sum(rate < SPENT * rates[highest] for rate in rates[highest:]),
            ends=_ends(thing),
            epoch=epoch,
            halfway=None if epoch is None else _share(thing, epoch // 2),
        )


def pass_of(recording: Recording) -> tuple[int | None, bool | None]:
    """Return how many batches a pass over the training data has, and whether it is shuffled."""
    starts = [*(one.steps for one in recording.rounds[1:]), len(recording.steps)]
    for one, following in zip(recording.rounds, starts, strict=False):
        if following > one.steps:  # others are read without a step: those of an evaluation
            return one.batches, one.shuffled
    return None, None


def _steps_an_epoch(recording: Recording) -> int | None:
    batches, _ = pass_of(recording)
    if batches is None or not recording.steps:
        return None
    return batches // max(1, round(recording.backwards / len(recording.steps))) or None


def _ends(thing: Any) -> int | None:
    """Return after how many of its steps a cosine is at its end, from where it rises again."""
    length = getattr(thing, "T_max", None)
    plain = type(thing).__name__ == "CosineAnnealingLR"
    return length if plain and isinstance(length, int) and length > 0 else None


def _share(thing: Any, steps: int) -> float | None:
    """Return what a schedule that only falls leaves of its rate after so many of its steps."""
    name, factor = type(thing).__name__, getattr(thing, "gamma", None)
    if not isinstance(factor, (int, float)) or not 0 < factor < 1:
        return None
    if name == "ExponentialLR":
        return float(factor**steps)
    every = getattr(thing, "step_size", None)
    if name == "StepLR" and isinstance(every, int) and every > 0:
        return float(factor ** (steps // every))
    return None
