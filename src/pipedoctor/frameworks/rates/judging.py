"""What the test proves about the user's own rate; no framework."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from pipedoctor.facts.range_test import HIGH, LOW, TOO_HIGH, TOO_LOW, WITHIN, Point, Trial
from pipedoctor.frameworks.rates.curve import BEGUN, RISEN, Read
from pipedoctor.units import count, plural
from pipedoctor.units import rate as written

BEYOND = 2.0
"""A rate is held against where the loss diverged only if it is so many times that."""

SHORT = 3.0
"""A run is too short for its rate only if it goes less than a third of the way that was needed."""

ENOUGH = 10.0
"""It is long enough where it goes so many times that way: the first tenth, ten times."""

SMOKE = 30
"""A run of fewer steps is a trial, in which nobody expects anything to be learned."""


@dataclass(frozen=True)
class Own:
    """
    The user's own rate at its highest, and the run that is made with it.

    `reach` is the sum of the rates of all its steps, the schedule among them; None where nobody
    knows how many steps there are.
    """

    rate: float
    planned: int | None = None
    reach: float | None = None

    def beyond(self, found: Read) -> bool:
        """Whether it lies clearly above where the loss diverged."""
        return found.diverges is not None and self.rate >= BEYOND * found.diverges


@dataclass(frozen=True)
class Judged:
    """The word for the rate; the factor is there where it is proved."""

    word: str | None
    times: float | None = None
    evidence: str = ""


def judged(
    own: Own, found: Read, points: Sequence[Point], start: float, trials: Sequence[Trial]
) -> Judged:
    """
    Return what is to be said of the user's rate.

    Too high it is where the loss has diverged at less than half of it, and does so again at the
    rate itself. Too low it is where all steps of the run together go less than a third of the way
    that the first tenth of the fall took: a way is the rates of its steps, summed up.
    """
    if found.low is None or found.high is None or own.rate < 0:
        return Judged(None)
    if own.rate == 0:
        return Judged(TOO_LOW, None, "no weight moves at a rate of 0")
    if own.beyond(found):
        return _high(own, found, start, next((t for t in trials if t.own), None))
    if own.rate > found.high:
        return Judged(
            HIGH, None, f"the loss is lowest at {_short(found.high)} and rises from there"
        )
    return Judged(WITHIN) if own.rate >= found.low else _low(own, found, points, start)


def _short(rate: float) -> str:
    return written(float(f"{rate:.1e}"))


def _high(own: Own, found: Read, start: float, trial: Trial | None) -> Judged:
    assert found.diverges is not None
    finite = [] if trial is None else [loss for loss in trial.losses if isfinite(loss)]
    risen = [loss for loss in finite if loss > start + RISEN * max(abs(start), 1e-3)]
    from_there = f"the loss rises from {_short(found.diverges)} on"
    if trial is None:
        return Judged(HIGH, None, f"{from_there}; there was no time to try your rate")
    if len(risen) < 2 or trial.end <= start:
        return Judged(HIGH, None, f"{from_there}, but a few updates at your rate did not raise it")
    made = plural(len(trial.losses) - 1, "update")
    return Judged(
        TOO_HIGH,
        own.rate / found.diverges,
        f"{from_there}; from {start:.3g} it goes to {max(finite):.3g} in {made} at your rate",
    )


def _low(own: Own, found: Read, points: Sequence[Point], start: float) -> Judged:
    if own.reach is None or own.planned is None:
        return Judged(LOW, None, "how many steps the run has is not known")
    if own.planned < SMOKE:
        return Judged(LOW, None, f"the run has {count(own.planned)} steps only: a trial")
    needed = way(points, start, found.fall)
    steps = f"the {count(own.planned)} steps of the run"
    if own.reach > 0 and needed / own.reach < SHORT:
        enough = own.reach >= ENOUGH * needed
        return Judged(LOW, None, f"{steps} {'' if enough else 'may '}make up for it")
    return Judged(
        TOO_LOW,
        needed / own.reach if own.reach > 0 else None,
        f"the rates of {steps} add up to {_short(own.reach)}; the first tenth of the fall took "
        f"{_short(needed)}",
    )


def way(points: Sequence[Point], start: float, fall: float) -> float:
    """Return the rates of the steps, summed up, that the first tenth of the fall took."""
    goal = start - BEGUN * fall * max(abs(start), 1e-9)
    total = 0.0
    for place, point in enumerate(points):
        # The first of two that are there: the running mean would come late.
        if all(p.loss <= goal for p in points[place : place + 2]):
            return total
        total += point.rate
    return total
