"""Which weights an update of the optimizer changes at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import UNKNOWN, Fact


@dataclass(frozen=True, repr=False, eq=False)
class Updates(Fact):
    """
    What one step with the highest learning rate changes of the weights that are held in 16 bits.

    `elements` are those that have a gradient other than 0, `unchanged` how many of them are the
    same after the step. Both are 0 where all trained weights are float32: then nothing is run.
    Weights and optimizer are put back.
    """

    doing = "Taking one step of the optimizer, and undoing it"

    elements: int
    unchanged: int
    dtype: str = ""
    optimizer: str = ""
    learning_rate: float = UNKNOWN
    largest: float = UNKNOWN
    """The largest weight, by its absolute value, that did change."""

    @property
    def share(self) -> float:
        """The share of weights with a gradient that did not change."""
        return self.unchanged / self.elements if self.elements else 0.0

    def summary(self) -> Mapping[str, object]:
        """Tell what was seen: proof that it ran."""
        return {"elements": self.elements, "unchanged": self.unchanged, "dtype": self.dtype}
