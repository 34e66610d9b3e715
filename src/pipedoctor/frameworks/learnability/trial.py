"""
Training on one half of some rows and asking for the other, then the other way round; no framework.

As soon as the answers to new rows go with their labels beyond doubt, that is proof, and nothing
more is tried. Otherwise both halves are learned until they are known by heart, or time is up; and
then one of them once more, with its labels in another order, to see whether those of the data are
any easier.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Protocol

from pipedoctor.frameworks.learnability import association, scores
from pipedoctor.frameworks.learnability.association import Fit

SURE = 4.5
"""
So many standard errors above chance are proof, however often one looks.

One look in 300,000 shows as much by chance, and there are at most `EPOCHS` looks at each half.
"""

EPOCHS = 40
"""So many passes over a half are made at most."""

BY_HEART = 0.8
"""Rows are known by heart when so much of what a constant answer gets wrong is right."""

SEED = 20_240_229
"""Whatever; the same rows and orders are drawn each time."""


class Pupil(Protocol):
    """What trains and answers; each framework has one."""

    def begin(self) -> None:
        """Go back to where all stood."""

    def learn(self, batch: int, *, shuffled: bool) -> tuple[float, Any]:
        """Make one update on a batch; return its loss before, and its answers."""

    def answers(self, batch: int) -> Any:
        """Return an array with a row for each row of a batch: chances of classes, or numbers."""


@dataclass
class Half:
    """What came of one half: of its epochs, and of the answers to the other."""

    learned: tuple[int, ...]
    asked: tuple[int, ...]
    losses: list[float] = field(default_factory=list)
    known: float = 0.0
    """How much of what a constant answer gets wrong was right in the last pass."""
    given: list[Any] = field(default_factory=list)
    """The answers to the other half after each epoch."""

    @property
    def answers(self) -> Any:
        """The answers of all epochs together, which are steadier than the last ones."""
        return sum(self.given) / len(self.given)


@dataclass
class Trial:
    """
    One search: `batches` holds the rows of each batch, `labels` a row of numbers for each row.

    `kind` says what the labels are.
    """

    pupil: Pupil
    batches: Sequence[Sequence[int]]
    labels: Any
    kind: str
    deadline: float = float("inf")
    most: int = 400
    """So many updates are made at most in each half."""
    halves: list[Half] = field(default_factory=list)
    shuffled: list[float] = field(default_factory=list)
    updates: int = 0
    late: bool = False
    sure: bool = False
    _random: Any = None

    def run(self) -> None:
        """Try until there is proof, or both halves were learned."""
        import numpy as np

        self._random = np.random.default_rng(SEED)
        count = len(self.batches)
        first = tuple(range(0, count, 2))
        second = tuple(range(1, count, 2))
        for learned, asked in ((first, second), (second, first)):
            half = Half(learned, asked)
            self.halves.append(half)
            self._learn(half)
            if self.sure or self.late:
                return
        self._control(self.halves[0])

    @property
    def fit(self) -> Fit:
        """How well the answers to new rows go with their labels, over both halves."""
        return association.together([self._fit(half) for half in self.halves if half.given])

    @property
    def fitted(self) -> bool:
        """Whether the learned rows were known by heart in the end, in each half that was begun."""
        return all(self._by_heart(half) for half in self.halves)

    def rows_of(self, batches: Sequence[int]) -> list[int]:
        """Return the rows of some batches, in their order."""
        return [row for batch in batches for row in self.batches[batch]]

    def _learn(self, half: Half) -> None:
        import numpy as np

        self.pupil.begin()
        made = 0
        while made < self.most and len(half.losses) < EPOCHS and not self._by_heart(half):
            epoch = self._epoch(half.learned, shuffled=False)
            if epoch is None:
                self.late = True
                break
            loss, half.known = epoch
            half.losses.append(loss)
            made += len(half.learned)
            if not isfinite(loss):
                break
            given = [np.asarray(self.pupil.answers(batch)) for batch in half.asked]
            half.given.append(np.concatenate(given))
            if self._proved(half):
                self.sure = True
                return

    def _proved(self, half: Half) -> bool:
        labels = self.labels[self.rows_of(half.asked)]
        if association.standing(half.answers, labels) < SURE:
            return False
        return self._fit(half).p <= 1 / association.ORDERS

    def _fit(self, half: Half) -> Fit:
        return association.fit(half.answers, self.labels[self.rows_of(half.asked)])

    def _epoch(self, batches: Sequence[int], *, shuffled: bool) -> tuple[float, float] | None:
        """Make one pass; return its loss and what was known in it, None if time was up."""
        import numpy as np

        total, order, told = 0.0, self._random.permutation(len(batches)), []
        for place in order:
            if time.monotonic() > self.deadline:
                return None
            loss, answers = self.pupil.learn(batches[place], shuffled=shuffled)
            total += loss
            told.append(answers)
            self.updates += 1
        labels = self.labels[self.rows_of([batches[place] for place in order])]
        known = scores.above_chance(np.concatenate(told), labels, self.kind)
        return total / len(batches), known

    @staticmethod
    def _by_heart(half: Half) -> bool:
        return bool(half.losses) and half.known >= BY_HEART

    def _control(self, half: Half) -> None:
        """Learn a half again, with its labels in another order."""
        self.pupil.begin()
        for _ in half.losses:
            epoch = self._epoch(half.learned, shuffled=True)
            if epoch is None:
                return
            self.shuffled.append(epoch[0])
