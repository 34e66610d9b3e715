"""What a curve of losses over rising rates shows; no framework."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import isfinite
from statistics import median

from pipedoctor.facts.range_test import Point

LEAST = 6
"""Fewer points than this show nothing."""

FALLS = 0.03
"""A fall of less than this share of the first loss is none: batches and rounding make as much."""

BEGUN = 0.1
"""The range that works begins where this share of the whole fall is made."""

LOST, RISEN = 0.5, 0.15
"""
The loss has diverged where this share of the fall is lost again, and stays lost.

That has to be more than this share of the first loss: where it hardly fell, batches make as much.
"""

TYPICAL = 12
"""What the loss jumps by is looked for in so many points at least."""

NOISE = 3.0
"""
A fall is none unless it is so many times what the loss jumps from step to step.

The lowest of some 40 running means of mere noise lies one such jump below zero.
"""

BELOW = 10**0.5
"""
The first rate that is tried lies so far below the one with the lowest loss.

There the loss no longer falls; what is best for a rate that stays lies below it.
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
    first: float | None = None
    """The rate to try first."""
    jumped: bool = False
    """Whether a loss was no number before any had risen."""

    @property
    def falls(self) -> bool:
        """Whether there is a fall at all."""
        return self.low is not None


def read(points: Sequence[Point], start: float, noise: float = 0.0) -> Read:
    """Return what the points show; `noise` is by how much equal steps differ."""
    finite = [point for point in points if isfinite(point.loss)]
    if len(finite) < LEAST:
        return Read(0.0, jumped=len(finite) < len(points))
    best = min(range(len(finite)), key=lambda place: finite[place].smoothed)
    lowest = finite[best].smoothed
    fall = start - lowest
    rise = max(LOST * fall, RISEN * max(abs(start), 1e-3))
    lost = _lost(finite, best, lowest + rise)
    share = fall / max(abs(start), 1e-9)
    told = Read(share, diverges=lost, jumped=len(finite) < len(points) and lost is None)
    if share < FALLS or fall < NOISE * max(noise, _jumps(finite[: max(best + 1, TYPICAL)])):
        return told
    begun = next(point.rate for point in finite if start - point.smoothed >= BEGUN * fall)
    high = finite[best].rate
    return replace(told, low=min(begun, high / BELOW), high=high, first=high / BELOW)


def lost(points: Sequence[Point], start: float) -> bool:
    """Whether the last point lies as far above the lowest as a loss that has diverged."""
    lowest = min(point.smoothed for point in points)
    rise = max(LOST * (start - lowest), RISEN * max(abs(start), 1e-3))
    return points[-1].smoothed > lowest + 2 * rise


def _lost(points: Sequence[Point], best: int, limit: float) -> float | None:
    """Return the rate from which on the loss is above a limit, if it is for two steps at least."""
    place = len(points)
    # Where it jumps up and down, a single batch may come out low: the running mean does not.
    while place > best and max(points[place - 1].loss, points[place - 1].smoothed) > limit:
        place -= 1
    return points[place].rate if len(points) - place >= 2 else None


def _jumps(points: Sequence[Point]) -> float:
    """Return what the loss jumps by from step to step; a fall in itself is no jump."""
    moved = [b.loss - a.loss for a, b in pairwise(points) if b.loss != a.loss]
    if len(moved) < 4:
        return 0.0
    middle = median(moved)
    return median(abs(jump - middle) for jump in moved)
