"""What the optimizer updates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import Fact


@dataclass(frozen=True)
class Group:
    """
    One group of parameters: the names that they have in the model, and how they are updated.

    None stands for what this optimizer does not state.
    """

    parameters: tuple[str, ...]
    learning_rate: float | None = None
    weight_decay: float | None = None


@dataclass(frozen=True, repr=False, eq=False)
class Optimizer(Fact):
    """
    The optimizer as the run will have it, built but never stepped.

    `missing` are the trainable parameters of the model that it does not hold, with their sizes;
    `strangers` the shapes of those it holds that are not the model's: they belonged to a layer
    that was replaced since, or to another model. `given` says whether the user made it.
    """

    doing = "Building the optimizer"

    name: str
    groups: tuple[Group, ...]
    missing: Mapping[str, int]
    strangers: tuple[tuple[int, ...], ...]
    trainable: int
    """The number of elements that training is meant to change."""
    given: bool = False

    @property
    def held(self) -> int:
        """How many of the model's parameters it holds."""
        return sum(len(group.parameters) for group in self.groups)

    def summary(self) -> Mapping[str, object]:
        """Tell the kind and the counts."""
        return {"name": self.name, "groups": len(self.groups), "parameters": self.held}
