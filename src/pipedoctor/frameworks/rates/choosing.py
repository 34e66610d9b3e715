"""
Which rate is suggested: the one that gets furthest in a few updates; no framework.

Where a rising rate has the lowest loss says at which rates to look, but not more: a network that
learns something easy at once, such as how frequent each class is, stands there for a decade of
rates. So rates half a decade apart are tried from the same weights, on the same batches, until
the best lies between two that are worse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf, isfinite

from pipedoctor.facts.range_test import Trial

APART = 10**0.5
"""From one rate that is tried to the next."""


@dataclass(frozen=True)
class Chosen:
    """The rate, and what was tried; `bracketed` says that the rates next to it are worse."""

    rate: float
    best: Trial
    trials: tuple[Trial, ...]
    bracketed: bool


@dataclass
class Choosing:
    """Trials of so many updates, at so many rates at most, all of them below the highest."""

    try_out: Callable[[float], Trial]
    steps: int
    most: int
    highest: float | None = None
    over: Callable[[], bool] = lambda: False
    """Whether the time is spent: a trial that this has broken off tells nothing."""

    def choose(self, first: float) -> Chosen:
        """Try rates from the first on; return the best."""
        tried = {0: self.try_out(first)}
        while len(tried) < self.most and not self.over():
            place = self._next(tried, first)
            if place is None:
                break
            trial = self.try_out(first * APART**place)
            if not (self.over() and len(trial.losses) < self.steps):
                tried[place] = trial
        best = self._best(tried)
        below, above = best - 1 in tried, best + 1 in tried
        shift = 0.0
        if below and above:
            shift = _lowest(*(self._end(tried[place]) for place in (best - 1, best, best + 1)))
        return Chosen(
            first * APART ** (best + shift),
            tried[best],
            tuple(tried[place] for place in sorted(tried)),
            below and (above or self._beyond(first, best + 1)),
        )

    def _next(self, tried: Mapping[int, Trial], first: float) -> int | None:
        """Return which neighbour of the best is to be tried: the lower one to begin with."""
        best = self._best(tried)
        if best - 1 not in tried:
            return best - 1
        return None if best + 1 in tried or self._beyond(first, best + 1) else best + 1

    def _best(self, tried: Mapping[int, Trial]) -> int:
        return min(tried, key=lambda place: self._end(tried[place]))

    def _end(self, trial: Trial) -> float:
        """
        Return where a trial came to; one that was broken off came nowhere.

        How far the loss was above the first one, in the mean of the steps, is added: a rate that
        throws the weights far off and then recovers is worse than it looks at the end.
        """
        if len(trial.losses) < self.steps:
            return inf
        above = sum(max(0.0, loss - trial.losses[0]) for loss in trial.losses)
        return trial.end + above / self.steps

    def _beyond(self, first: float, place: int) -> bool:
        return self.highest is not None and first * APART**place >= self.highest


def _lowest(low: float, middle: float, high: float) -> float:
    """Return where the parabola through three losses is lowest, in steps from the middle one."""
    if not isfinite(low + middle + high):
        return 0.0
    bend = low + high - 2 * middle
    return (low - high) / (2 * bend) if bend > 0 else 0.0
