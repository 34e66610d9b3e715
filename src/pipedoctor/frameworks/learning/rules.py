"""When a batch counts as learned, and what follows from the curves; no framework."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite

NEAR = 0.2
"""
The share of the way from the best constant answer to the floor that proves learning.

An answer that is the same for all rows can't get below the entropy of their labels at all, so
that any way below it is proof.
"""

HALF = 0.5
"""The same where the loss of the best constant answer is not known: from the first loss."""

RISEN = 1.5
"""A loss that stays this many times the first one has diverged."""

FLAT = 0.02
"""A fall of less than this share of the way is none."""


FEW = 4
"""So many losses in a row, each below the one before, are a fall that goes on."""

FALLEN = 0.1
"""A loss that came down by this share of its way to chance is on that way."""


@dataclass(frozen=True)
class Way:
    """Where the loss starts, and where it has to go."""

    start: float
    floor: float = 0.0
    chance: float | None = None

    @classmethod
    def of(cls, start: float, floor: float, chance: float | None) -> Way:
        """Return the way from a first loss; one below 0 that nobody knows has no floor of 0."""
        unknown = start < 0 and chance is None
        return cls(start, start - 2 * max(abs(start), 0.1) if unknown else floor, chance)

    @property
    def base(self) -> float:
        """The loss from which on learning counts: what a constant answer can reach does not."""
        return self.start if self.chance is None else min(self.start, self.chance)

    @property
    def goal(self) -> float:
        """The loss that proves it."""
        share = HALF if self.chance is None else NEAR
        return self.base - share * (self.base - self.floor)

    @property
    def open(self) -> bool:
        """Whether there is anything to learn: the floor lies clearly below."""
        return self.base - self.floor > 0.02 * max(abs(self.base), 1e-6)

    def progress(self, loss: float) -> float:
        """Return the share of the way from the base to the floor."""
        return (self.base - loss) / (self.base - self.floor) if self.open else 0.0


def reached(losses: Sequence[float], way: Way) -> bool:
    """Whether the goal was reached and held: one lucky step on a wild ride is no proof."""
    return len(losses) > 2 and all(loss <= way.goal for loss in losses[-2:])


def diverged(losses: Sequence[float], way: Way) -> bool:
    """Whether the loss has gone up for good, or is no number."""
    if any(not isfinite(loss) for loss in losses):
        return True
    limit = way.start + (RISEN - 1) * max(abs(way.start - way.floor), 1e-6)
    return len(losses) > 3 and all(loss > limit for loss in losses[-2:])


def wild(losses: Sequence[float], way: Way) -> bool:
    """Whether the loss jumps about without getting anywhere, as it does at too high a rate."""
    if diverged(losses, way):
        return True
    span = max(abs(way.base - way.floor), 1e-6)
    rises = [b - a for a, b in pairwise(losses) if b > a]
    return len(losses) > 4 and sum(rises) > 0.5 * span and losses[-1] > way.goal


def left(losses: Sequence[float], way: Way) -> float:
    """Return how many updates more the goal is away, by the fall of the last ones."""
    if losses[-1] <= way.goal:
        return 0.0
    window = losses[-min(len(losses), 5) :]
    if len(window) < 2:
        return float("inf")
    fall = (window[0] - window[-1]) / (len(window) - 1)
    # Rounding in float32 moves a loss by about its 1e-7th part.
    if not isfinite(fall) or fall <= 1e-6 * max(abs(window[0]), 1e-6):
        return float("inf")
    return (losses[-1] - way.goal) / fall


def needed(losses: Sequence[float], way: Way) -> float:
    """Return about how many updates the goal takes at this rate, counted from the start."""
    return len(losses) - 1 + left(losses, way)


def falling(losses: Sequence[float], way: Way) -> bool:
    """Whether the loss still comes down to what chance has, and stood above it when time was up."""
    if not all(map(isfinite, losses)) or len(losses) < FEW or losses[-1] <= way.base:
        return False
    top = max(losses)
    steady = all(later < earlier for earlier, later in pairwise(losses[-FEW:]))
    return steady and top - losses[-1] > FALLEN * (top - way.base)


def flat(losses: Sequence[float], way: Way) -> bool:
    """Whether the loss got no lower than chance explains."""
    best = min((loss for loss in losses if isfinite(loss)), default=float("inf"))
    return way.progress(best) < FLAT
