"""The learning rate at every step of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipedoctor.fact import Fact
from pipedoctor.finding import NOWHERE, Location

SAMPLES = 240
"""At so many steps the rate is looked up to tell of the whole run; no page has as many columns."""


@dataclass(frozen=True, repr=False, eq=False)
class LearningRate(Fact):
    """
    The rate that each optimizer step is made with, steps counted from 1.

    `factor` says what a scheduler makes of `value` after so many steps, 0 before the first one:
    what transformers' `get_scheduler` would, computed without torch.
    """

    value: float
    scheduler: str
    total_steps: int
    warmup_steps: int
    factor: Callable[[int], float]
    where: Location = NOWHERE

    def at(self, step: int) -> float:
        """Return the rate of a step."""
        return self.value * self.factor(step - 1)

    def samples(self, most: int = SAMPLES) -> list[tuple[int, float]]:
        """Return steps and their rates, spread evenly over the run, first and last included."""
        total = self.total_steps
        if total <= most:
            return [(step, self.at(step)) for step in range(1, total + 1)]
        steps = {1 + round(place * (total - 1) / (most - 1)) for place in range(most)}
        if self.warmup_steps < total:
            steps.add(self.warmup_steps + 1)
        return [(step, self.at(step)) for step in sorted(steps)]

    @property
    def reach(self) -> float:
        """The rates of all steps summed up: about as far as Adam can take a weight."""
        samples = self.samples()
        return sum(rate for _, rate in samples) / max(1, len(samples)) * self.total_steps

    def figures(self) -> Mapping[str, object]:
        """Tell where it starts, peaks and ends, and the curve between."""
        samples = self.samples()
        told: dict[str, object] = {
            "scheduler": self.scheduler,
            "value": self.value,
            "warmup_steps": self.warmup_steps,
        }
        if samples:
            step, highest = max(samples, key=lambda sample: sample[1])
            told |= {"highest": highest, "highest_at": step, "last": samples[-1][1]}
        return told | {"samples": samples}

    def summary(self) -> Mapping[str, object]:
        """Tell where it starts and ends."""
        told: dict[str, object] = {"scheduler": self.scheduler, "value": self.value}
        if self.total_steps:
            told |= {"first": self.at(1), "last": self.at(self.total_steps)}
        return told
