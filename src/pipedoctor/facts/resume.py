"""The checkpoint that a training goes on from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import UNKNOWN, Fact
from pipedoctor.finding import NOWHERE, Location


@dataclass(frozen=True, repr=False, eq=False)
class Resume(Fact):
    """
    What `trainer_state.json` of that checkpoint says: how far its training had come.

    `step` counts optimizer steps; `max_steps` is the number that its run was to take.
    """

    doing = "Reading the checkpoint to resume from"

    path: str
    step: int
    max_steps: int = UNKNOWN
    batch_size: int = UNKNOWN
    """Rows per batch and device."""
    epoch: float = UNKNOWN
    """How often its rows had been trained on."""
    learning_rate: float = UNKNOWN
    """The highest learning rate that was logged."""
    where: Location = NOWHERE

    def summary(self) -> Mapping[str, object]:
        """Tell where it is, and how far it had come."""
        return {"path": self.path, "step": self.step}
