"""
A training in which the rate rises from step to step; no framework.

Each step has a batch of its own. Its loss says little by itself: batches differ more than a step
changes them. So the loss that each batch has before any update is measured first, and taken off:
what is left is what the updates did.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import Protocol

from pipedoctor.clock import Clock
from pipedoctor.facts.range_test import Point, Trial
from pipedoctor.frameworks.rates import curve

STEPS = 100
"""Steps of the whole test, where nobody asks for more or less."""

LEAST = 30
"""With fewer steps than this, a decade of rates has too few of them to tell anything."""

KEPT = 0.6
"""How much of the running mean is kept from step to step: it lags by 1.5 steps then."""

RISEN = 3.0
"""A loss that is so many times the first one has diverged for good."""

CONFIRMED = 4
"""So many steps in which nothing of the fall is left end the test."""


LOOK, FEWEST = 0.2, 10
"""
The share of the time that the losses before any update may take, and the batches that there are in
any case: where fewer come again, what is measured may be how fast they are learned by heart.
"""

SLIGHT = 1e-9
"""The rate of a step that is made for its seconds alone."""


class Sweeper(Protocol):
    """What makes the steps; each framework has one."""

    @property
    def batches(self) -> int:
        """How many different batches there are."""

    def begin(self) -> None:
        """Go back to where all stood."""

    def base(self, place: int) -> float:
        """Compute the loss of a batch, and change nothing."""

    def step(self, place: int, rate: float) -> tuple[float, bool]:
        """Make an update at a rate; return the loss before it, and whether it was finite itself."""


@dataclass(frozen=True)
class Span:
    """From which rate to which the test goes, in how many steps."""

    low: float
    high: float
    steps: int

    @classmethod
    def of(cls, optimizer: str, own: float, steps: int) -> Span:
        """Return the rates for an optimizer: those of Adam and its kin are a tenth of others'."""
        low, high = (1e-6, 1.0) if is_signed(optimizer) else (1e-5, 100.0)
        if own > 0:  # what the user has must be among them, and what is around it
            low, high = min(low, max(own / 10, 1e-9)), max(high, min(own * 3, 1e4))
        return cls(low, high, steps)

    def after(self, rate: float, made: int, *, moved: bool) -> float:
        """
        Return the rate of the next step.

        While nothing happens, the rate rises fast; from then on, the rest of the steps is for the
        rest of the rates.
        """
        if not moved:
            return rate * FAST
        return float(rate * (self.high / rate) ** (1 / max(1, self.steps - made)))


FAST = 10 ** (1 / 3)
"""By how much the rate rises from step to step while nothing happens."""

MOVED = 0.01
"""Something happens where a batch's loss changes by this share of the first loss."""


def is_signed(optimizer: str) -> bool:
    """Whether steps are about as long as the rate, whatever the size of the gradient."""
    return any(part in optimizer.lower() for part in SIGNED)


SIGNED = ("adam", "lion", "lamb", "adafactor", "rmsprop", "muon", "adan", "sophia")
"""Parts of the names of optimizers whose steps are as long as the rate, whatever the gradient."""


@dataclass
class Sweep:
    """
    The test on some batches.

    `bases` are the losses of the batches before any update, `spoilt` the first of them that is
    not finite. `broken` is the step at which a gradient was not finite although the loss was.
    """

    sweeper: Sweeper
    clock: Clock = field(default_factory=Clock)
    bases: list[float] = field(default_factory=list)
    again: float | None = None
    """The loss of the first batch once more: of a model without chance in it, the same."""
    points: list[Point] = field(default_factory=list)
    spoilt: int | None = None
    broken: int | None = None
    late: bool = False

    def look(self) -> None:
        """Measure the losses before any update."""
        self._begin()
        least = (1 - LOOK) * self.clock.left
        for place in range(self.sweeper.batches):
            loss = self.sweeper.base(place)
            self.bases.append(loss)
            if not isfinite(loss):
                self.spoilt = place
                return
            if self._late() or (place + 1 >= FEWEST and self.clock.left < least):
                break
        self.again = None if self.late else self.sweeper.base(0)

    def affordable(self) -> float:
        """Return how many steps the time that is left is enough for; one is made to tell."""
        if not isfinite(self.clock.soft):
            return inf
        self._begin()
        begun = time.monotonic()
        self.sweeper.step(0, SLIGHT)
        return self.clock.left / max(1e-9, time.monotonic() - begun)

    @property
    def start(self) -> float:
        """The mean loss before any update."""
        return sum(self.bases) / max(1, len(self.bases))

    @property
    def noise(self) -> float:
        """How far two losses of the same batch and the same weights are apart."""
        return 0.0 if self.again is None else abs(self.again - self.bases[0])

    def rise(self, span: Span) -> None:
        """Make the steps, until the loss has diverged."""
        self._begin()
        mean, weight, rate, moved = 0.0, 0.0, span.low, False
        lost = over = 0
        for number in range(span.steps):
            told, fine = self._told(number, rate)
            if not isfinite(told):
                self.points.append(Point(rate, told, told))
                return
            mean, weight = KEPT * mean + (1 - KEPT) * told, KEPT * weight + (1 - KEPT)
            self.points.append(Point(rate, told, mean / weight))
            if not fine:
                self.broken = number
                return
            lost = lost + 1 if curve.lost(self.points, self.start) else 0
            over = over + 1 if told > self._limit() else 0
            if lost >= CONFIRMED or over > 1 or self._late():
                return
            if not moved and abs(told - self.start) > MOVED * max(abs(self.start), 1e-3):
                moved, rate = True, rate / FAST  # the loss shows what the step before it did
            rate = span.after(rate, number + 1, moved=moved)
            if rate > span.high * (1 + 1e-6):  # rounding may take the last one a little beyond
                return

    def try_out(self, rate: float, steps: int, *, own: bool = False) -> Trial:
        """Make a few updates at one rate, from where all stood, on the batches from the last on."""
        self._begin()
        losses: list[float] = []
        # From the end: those of the first steps would have been seen by whoever learns by heart.
        for number in range(len(self.bases) - 1, len(self.bases) - 1 - steps, -1):
            told, fine = self._told(number, rate)
            losses.append(told)
            if not isfinite(told) or not fine or self._late():
                break
        return Trial(rate, tuple(losses), own)

    def _told(self, number: int, rate: float) -> tuple[float, bool]:
        place = number % len(self.bases)
        loss, fine = self.sweeper.step(place, rate)
        return loss - self.bases[place] + self.start, fine

    def _limit(self) -> float:
        return self.start + (RISEN - 1) * max(abs(self.start), 1e-3)

    def _begin(self) -> None:
        self.sweeper.begin()
        self.clock.start()

    def _late(self) -> bool:
        self.late = self.late or self.clock.over()
        return self.late
