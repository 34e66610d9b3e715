"""After how many steps the files of a checkpoint were saved, each by its own telling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import UNKNOWN, Fact


@dataclass(frozen=True, repr=False, eq=False)
class SavedSteps(Fact):
    """
    The steps of a Trainer's checkpoint.

    `folder` is the number in its name, `state` the global_step of trainer_state.json, `schedule`
    the last_epoch of scheduler.pt, and `optimizer` the most steps that any parameter has taken.
    """

    doing = "Reading the steps of the checkpoint"

    path: str
    folder: int = UNKNOWN
    state: int = UNKNOWN
    schedule: int = UNKNOWN
    optimizer: int = UNKNOWN

    def summary(self) -> Mapping[str, object]:
        """Tell them."""
        names = ("folder", "state", "schedule", "optimizer")
        return {name: getattr(self, name) for name in names if self.known(name)}
