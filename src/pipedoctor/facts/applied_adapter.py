"""The adapter that is on a model, and what it leaves untrained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import Fact


@dataclass(frozen=True, repr=False, eq=False)
class AppliedAdapter(Fact):
    """
    The config of an adapter, and the layers of the model beneath that still are as they were drawn.

    `kind` is how peft names the adapter ("LORA"), `model` the class beneath it. `task` and `saved`
    are its `task_type` and `modules_to_save`, None and empty if nothing states them. `untrained`
    maps each layer whose matrix is random numbers, frozen, and without an adapter, to its number of
    elements; `last` is the layer that the model ends with, empty where that is one of its base model.
    `elements` counts the matrices beneath, `drawn` those of them that are random and frozen, with an
    adapter or without.
    """

    doing = "Looking at the adapter"

    kind: str
    model: str
    task: str | None
    saved: tuple[str, ...]
    untrained: Mapping[str, int]
    last: str
    elements: int
    drawn: int

    def summary(self) -> Mapping[str, object]:
        """Tell kind, task, and what is left untrained."""
        return {"kind": self.kind, "task": self.task, "untrained": list(self.untrained)}
