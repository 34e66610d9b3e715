"""What a training is asked to resume from, and whether that is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import Fact
from pipedoctor.finding import NOWHERE, Location


@dataclass(frozen=True, repr=False, eq=False)
class Wish(Fact):
    """
    The folder to resume from, in words, and whether it is a checkpoint's.

    `lacks` says what is wrong with it, `newest` names a checkpoint that lies nearby, `leftovers`
    what looks like one and is none.
    """

    doing = "Looking for the checkpoint to resume from"

    asked: str
    found: bool
    lacks: str = ""
    newest: str = ""
    leftovers: tuple[str, ...] = ()
    where: Location = NOWHERE

    def summary(self) -> Mapping[str, object]:
        """Tell what was asked for."""
        return {"asked": self.asked, "found": self.found}
