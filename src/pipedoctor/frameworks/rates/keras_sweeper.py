"""The steps of a range test with Keras: those of the learner, at the rate that is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from pipedoctor.frameworks.fitting.drawing import Drawn
from pipedoctor.frameworks.learning.keras_learner import KerasLearner


class KerasSweeper:
    """Makes the steps; whoever makes one sees to it that all is put back."""

    def __init__(self, learner: KerasLearner, batches: Sequence[Drawn]) -> None:
        """Keep the batches."""
        self._learner = learner
        learner.expect_many()
        self._drawn = batches

    @property
    def batches(self) -> int:
        """How many different ones there are."""
        return len(self._drawn)

    def begin(self) -> None:
        """Go back to where all stood."""
        self._learner.begin(None, None)

    def base(self, place: int) -> float:
        """Compute the loss, and change no weight; statistics that a layer keeps are put back."""
        self._learner.begin(None, None)
        return self._learner.without_update(self._drawn[place])

    def step(self, place: int, rate: float) -> tuple[float, bool]:
        """Make an update; return the loss before it, and whether the gradients were finite."""
        learner = self._learner
        learner.batch = self._drawn[place]
        loss = learner.loss()
        if not isfinite(loss) or learner.stuck:
            return loss, True
        learner.at(rate)
        learner.update()
        return loss, all(isfinite(norm) for norm in learner.last.values() if norm is not None)
