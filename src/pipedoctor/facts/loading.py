"""Which call loads a checkpoint with the packages that are installed, and which don't."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from pipedoctor.fact import Fact


@dataclass(frozen=True)
class Way:
    """
    One call, as a line of code.

    `error` is what it raises, "" where it loads the checkpoint; `note` what is to be known of it.
    """

    code: str
    error: str = ""
    note: str = ""


@dataclass(frozen=True, repr=False, eq=False)
class Loading(Fact):
    """The calls that people try on such a checkpoint, those that load it first."""

    doing = "Choosing the loader"

    ways: tuple[Way, ...]
    reason: str = ""
    """Why nothing loads it, where nothing does."""

    def figures(self) -> Mapping[str, object]:
        """Return the calls."""
        return {"reason": self.reason, "ways": [asdict(way) for way in self.ways]}
