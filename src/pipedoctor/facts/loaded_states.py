"""The weights that a script loaded into its models by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import Fact
from pipedoctor.finding import NOWHERE, Location


@dataclass(frozen=True)
class StateLoad:
    """
    One call of `load_state_dict`: the names that were given, and those that the model has.

    `matched` counts the names that are in both.
    """

    model: str
    given: tuple[str, ...]
    known: tuple[str, ...]
    matched: int
    strict: bool
    where: Location = NOWHERE


@dataclass(frozen=True, repr=False, eq=False)
class LoadedStates(Fact):
    """The calls of `load_state_dict` with `strict=False`; any other raises if a name does not match."""

    doing = "Looking at the weights that were loaded"

    loads: tuple[StateLoad, ...]

    def summary(self) -> Mapping[str, object]:
        """Tell how many there were."""
        return {"loads": len(self.loads)}
