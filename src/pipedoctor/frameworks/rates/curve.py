"""What a curve of losses over rising rates shows; no framework."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from pipedoctor.facts.range_test import Point

FALLS = 0.02
"""A fall of less than this share of the first loss is none: batches and rounding make as much."""

BEGUN = 0.1
"""The range that works begins where this share of the whole fall is made."""

LOST = 0.5
"""The loss has diverged where this share of the fall is lost again, and stays lost."""

BELOW = 10.0
"""
The suggestion lies so far below the rate with the lowest loss.

There the loss no longer falls. On small networks a tenth of it was within a factor of 3 of the
best rate with 20 to 200 steps of the test, where the rate of the steepest fall, which others
take, jumped by a factor of up to 20 from seed to seed.
"""


@dataclass(frozen=True)
class Read:
    """
    The range that works, from where the loss begins to fall to where it is lowest.

    `fall` is the share of the first loss that it falls by. `diverges` is None where the test ended
    before the loss rose.
    """

    fall: float
    low: float | None = None
    high: float | None = None
    diverges: float | None = None
    suggestion: float | None = None
    jumped: bool = False
    """Whether a loss was no number before any had risen."""

    @property
    def falls(self) -> bool:
        """Whether there is a fall at all."""
        return self.low is not None


def read(points: Sequence[Point], start: float, noise: float = 0.0) -> Read:
    """Return what the points show; `noise` is by how much equal steps differ."""
    finite = [point for point in points if isfinite(point.loss)]
    if len(finite) < 5:
        return Read(0.0, jumped=len(finite) < len(points))
    best = min(range(len(finite)), key=lambda place: finite[place].smoothed)
    fall = start - finite[best].smoothed
    share = fall / max(abs(start), 1e-9)
    gone = next((n for n in range(len(finite)) if _lost(finite, n, start, max(fall, 0.0))), None)
    jumped = len(finite) < len(points) and gone is None
    if share < FALLS or fall < 4 * noise:
        return Read(share, diverges=None if gone is None else finite[gone].rate, jumped=jumped)
    begun = next(n for n, p in enumerate(finite) if start - p.smoothed >= BEGUN * fall)
    lost = next((n for n in range(best, len(finite)) if _above(finite, n, start, fall)), None)
    low, high = finite[begun].rate, finite[best].rate
    return Read(
        fall=share,
        low=low,
        high=high,
        diverges=None if lost is None else finite[lost].rate,
        suggestion=max(low, high / BELOW),
        jumped=jumped and lost is None,
    )


def _above(points: Sequence[Point], place: int, start: float, fall: float) -> bool:
    """Whether from this point on most of the fall is lost, in every one of at least two points."""
    limit = start - (1 - LOST) * fall
    rest = points[place:]
    return len(rest) >= 2 and all(point.loss > limit for point in rest)


def _lost(points: Sequence[Point], place: int, start: float, fall: float) -> bool:
    """The same where there is no fall to lose: the loss is far above where it started."""
    limit = start + max(fall, 0.5 * abs(start))
    rest = points[place:]
    return len(rest) >= 2 and all(point.loss > limit for point in rest)
