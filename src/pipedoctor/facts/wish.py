"""What a training is asked to resume from, and what lies where it writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import Fact
from pipedoctor.finding import NOWHERE, Location


@dataclass(frozen=True, repr=False, eq=False)
class Wish(Fact):
    """
    The folder to resume from, in words, and whether it is a checkpoint's; "" asks for none.

    `lacks` says what is wrong with it. `newest` is the checkpoint of the most steps in the folder
    that it was looked for in, or that the run writes to, `leftovers` the names there that look like
    one's and belong to none.
    """

    doing = "Looking for the checkpoint to resume from"

    asked: str
    found: bool
    lacks: str = ""
    newest: str = ""
    leftovers: tuple[str, ...] = ()
    folder: str = ""
    """The folder that the run writes to."""
    where: Location = NOWHERE

    def summary(self) -> Mapping[str, object]:
        """Tell what was asked for."""
        return {"asked": self.asked, "found": self.found}
