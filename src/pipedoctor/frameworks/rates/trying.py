"""The range test as a whole: what is run, what it shows, what it says of the user's own rate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from pipedoctor.facts.range_test import FOUND, INCONCLUSIVE, RangeTest
from pipedoctor.frameworks.rates import curve
from pipedoctor.frameworks.rates.choosing import Choosing, Chosen
from pipedoctor.frameworks.rates.curve import Read
from pipedoctor.frameworks.rates.judging import Own, judged
from pipedoctor.frameworks.rates.sweep import LEAST, Span, Sweep
from pipedoctor.units import plural
from pipedoctor.units import rate as written
from pipedoctor.usual_rates import beyond

FEW = 10
"""With fewer batches than this, what is measured may be how fast they are learned by heart."""

SMALL = 0.1
"""A fall of less than this share of the first loss may be a shift of all answers, no more."""

SHORTEST = 20
"""The rise itself has so many steps at least."""

RISING = 0.4
"""The share of all steps that the rise has; the others are for trials."""

TRIALS = 5
"""Four at rates that may be suggested, one at the user's own where that diverges."""

TRIAL = 5
"""A trial has so many steps at least; the loss of the last shows what the others did."""

WEAK = 0.02
"""If the best rate lowers the loss by less than this share of the first, little is shown."""

TRACE = "pipedoctor nan-trace TARGET says where it is born: operation, line, layer, row"
REPEATABLE = "draw nothing at random in the model and the loss (dropout is off in the test)"
OVERFIT = "pipedoctor overfit TARGET says what keeps it from learning"


@dataclass(frozen=True)
class Wish:
    """What is to be tried: with which optimizer, around which rate, in how many steps."""

    optimizer: str
    own: Own
    steps: int
    usual: tuple[float, float] | None = None
    """What is usual for such a model, where that is known."""

    @property
    def rising(self) -> int:
        """How many steps the rise has; the others are for trials."""
        return max(SHORTEST, round(RISING * self.steps))

    @property
    def trials(self) -> tuple[int, int]:
        """How many trials there may be, and of how many steps."""
        left = self.steps - self.rising
        number = max(1, min(TRIALS, left // TRIAL))
        return number, left // number


def run(sweep: Sweep, wish: Wish) -> RangeTest:
    """Make the test; what is to be put back afterwards is the caller's business."""
    found = _run(sweep, wish)
    return replace(found, cut=sweep.clock.told()) if sweep.late else found


def _run(sweep: Sweep, wish: Wish) -> RangeTest:
    blank = RangeTest(INCONCLUSIVE, wish.optimizer, wish.own.rate, planned=wish.own.planned)
    sweep.look()
    blank = replace(blank, batches=len(sweep.bases))
    if sweep.spoilt is not None:
        batch = f"of batch {sweep.spoilt + 1} " if sweep.sweeper.batches > 1 else ""
        return _without(blank, f"the loss {batch}is {sweep.bases[-1]} before any update", TRACE)
    if sweep.late:
        return _without(blank, LATE, MORE_TIME)
    asked, steps = wish.steps, max(LEAST, int(min(wish.steps, sweep.affordable())))
    wish = replace(wish, steps=min(asked, steps))
    sweep.rise(Span.of(wish.optimizer, wish.own.rate, wish.rising))
    found = curve.read(sweep.points, sweep.start, sweep.noise)
    seen = replace(blank, points=tuple(sweep.points), start=sweep.start)
    if (why := _nothing(sweep, found)) is not None:
        return _without(replace(seen, diverges=_rounded(found.diverges)), *why)
    assert found.first is not None
    assert found.high is not None
    number, length = wish.trials
    most = number - wish.own.beyond(found)
    tries = partial(sweep.try_out, steps=length)
    chosen = Choosing(tries, length, most, found.diverges, lambda: sweep.late).choose(found.first)
    if sweep.late and len(chosen.best.losses) < length:
        return _without(replace(seen, diverges=_rounded(found.diverges)), LATE, MORE_TIME)
    suggestion, high = _rounded(chosen.rate), _rounded(max(found.high, chosen.rate))
    trials = list(chosen.trials)
    if wish.own.beyond(found) and not sweep.late:
        trials.append(sweep.try_out(wish.own.rate, length, own=True))
    doubts = tuple(_doubts(sweep, found, chosen, suggestion, wish.usual))
    if wish.steps < asked:
        doubts = (f"there was time for {wish.steps} of {asked} steps", *doubts)
    told = judged(wish.own, found, sweep.points, sweep.start, trials)
    return replace(
        seen,
        outcome=FOUND,
        low=min(suggestion, _rounded(found.low)),
        high=high,
        diverges=_rounded(found.diverges),
        suggestion=suggestion,
        confidence=("high", "medium", "low")[min(2, len(doubts))],
        doubts=doubts,
        judged=told.word,
        times=told.times,
        evidence=told.evidence,
        trials=tuple(trials),
    )


LATE = "the time limit was reached before the rates were gone through"
MORE_TIME = "--time SECONDS allows more"


def _rounded(rate: Any, digits: int = 1) -> Any:
    """Return a rate with the digits that the test has seen; None stays None."""
    return None if rate is None else float(f"{rate:.{digits}e}")


def _without(test: RangeTest, why: str, advice: str) -> RangeTest:
    return replace(test, why=why, advice=advice)


def _nothing(sweep: Sweep, found: Read) -> tuple[str, str] | None:
    """Return why there is no suggestion, and what to do; None where there is one."""
    last = sweep.points[-1]
    at = f"at step {len(sweep.points)}, at a rate of {written(_rounded(last.rate))},"
    if found.diverges is None and sweep.broken is not None:
        return f"{at} a gradient is not finite, although the loss is", TRACE
    if found.jumped:
        return f"{at} the loss became {last.loss} without rising first: no fault of a rate", TRACE
    if sweep.late:
        return LATE, MORE_TIME  # no single rate has been tried
    if found.falls:
        return None
    rates = f"from {written(sweep.points[0].rate)} to {written(_rounded(last.rate))}"
    if sweep.noise > curve.FALLS * max(abs(sweep.start), 1e-9):
        least, most = sorted((sweep.bases[0], sweep.bases[0] + sweep.noise))
        apart = f"two passes of the same batch and weights differ ({least:.4g} and {most:.4g})"
        return f"{apart}, which hides what an update does", REPEATABLE
    if found.diverges is not None:
        return (
            f"the loss falls at no rate {rates}; it rises from {written(_rounded(found.diverges))} on",
            OVERFIT,
        )
    return f"the loss falls at no rate {rates}: by {max(0.0, found.fall):.1%} at most", OVERFIT


def _doubts(
    sweep: Sweep, found: Read, chosen: Chosen, suggestion: float, usual: tuple[float, float] | None
) -> Iterator[str]:
    if found.diverges is None:
        yield f"the loss did not diverge up to {written(_rounded(sweep.points[-1].rate))}"
    if found.fall < SMALL:
        yield f"the loss fell by {found.fall:.1%} only"
    if sweep.late:
        yield f"time ran out after {plural(len(chosen.trials), 'trial')}"
    if len(sweep.bases) < FEW:
        number = len(sweep.bases)
        yield f"there {'is 1 batch' if number == 1 else f'are {number} batches'} only"
    best = chosen.best
    won = (sweep.start - best.end) / max(abs(sweep.start), 1e-9)
    if won < WEAK:
        made = plural(len(best.losses) - 1, "update")
        by = f"by {won:.1%} only" if won > 0 else "not at all"
        yield f"{made} at {written(_rounded(best.rate))} lower the loss {by}"
    elif not chosen.bracketed:
        yield "of the rates that were tried, the best is the last on one side"
    if usual is not None:
        low, high = usual
        if beyond(suggestion, low, high):
            yield f"{written(low)} to {written(high)} is usual for such a model"
