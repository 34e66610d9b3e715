"""How a script came to its training, or did not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import UNKNOWN, Fact


@dataclass(frozen=True, repr=False, eq=False)
class Trainings(Fact):
    """
    How many trainings a script started, and how the script ended.

    `ended` are words that follow "the script", such as "ran to its end".
    """

    doing = "Running your code"

    started: int
    ended: str
    passes: int = UNKNOWN
    """How many backward passes of torch the script made, where that was watched."""
    calls: int = UNKNOWN
    """How often it called models of torch with no gradient to be computed."""

    def summary(self) -> Mapping[str, object]:
        """Tell both."""
        return {"started": self.started, "ended": self.ended}
