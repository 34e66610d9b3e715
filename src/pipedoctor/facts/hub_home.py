"""Where the Hugging Face libraries keep what they download."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from pipedoctor.fact import UNKNOWN, Fact
from pipedoctor.facts.machine import Room


@dataclass(frozen=True, repr=False, eq=False)
class HubHome(Fact):
    """
    The cache of the hub: its folder, what set it (a variable, or "" for the default), its bytes.

    `whole` is false where counting the bytes was given up after a while, so that there are more.
    `offline` are the variables that keep the libraries from the network.
    """

    doing = "Looking at the cache of the hub"

    path: str
    by: str
    exists: bool
    bytes: int = UNKNOWN
    whole: bool = True
    room: Room = UNKNOWN
    offline: tuple[str, ...] = ()
    barred: str = ""
    """Why the folder, which does not exist, can't be made either; empty: it can."""

    def figures(self) -> Mapping[str, object]:
        """Return what is known."""
        told: dict[str, object] = {
            "path": self.path,
            "by": self.by,
            "exists": self.exists,
            "offline": list(self.offline),
            "barred": self.barred,
        }
        if self.known("bytes"):
            told |= {"bytes": self.bytes, "whole": self.whole}
        if self.known("room"):
            told["room"] = asdict(self.room)
        return told
