"""One run of a user's script: what is done when a training starts, and what was met on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from pipedoctor.capture.loops import LoopWish
from pipedoctor.capture.recorder import Recorder


class Proceed(Enum):
    """How a training goes on that was examined."""

    UNDISTURBED = "undisturbed"  # as if nobody had looked
    ASIDE = "aside"  # to reach the next one only: nothing of it may reach the user's folders


@dataclass
class Session:
    """
    What adapters tell of a running script.

    `examine` gets the parts of a training that is about to start. It comes back only if the
    script is to go on; else the process ends there. An exception would run the script's `finally`
    blocks, and those may save a model that was never trained. `problems` are sentences on what
    could not be had here; `stand_ins` says whether something stands in for a metric; `scratch` is
    the folder for what a training aside writes; `sites` knows where the script made its parts.
    An `undisturbed` run is a real one: nothing may stand in for anything there.
    """

    examine: Callable[[Mapping[str, Any]], Proceed]
    scratch: str = ""
    undisturbed: bool = False
    problems: list[str] = field(default_factory=list)
    stand_ins: bool = False
    loops: LoopWish | None = None
    """How loops of the script's own are watched; they are not where this is None."""
    loop_started: Callable[[], None] = lambda: None
    """Called when such a loop makes its first step."""
    watching: Any = None
    """What watches the loops, once torch is there."""
    loads: list[Any] = field(default_factory=list)
    """The weights that the script has loaded by itself."""
    recording: bool = False
    """Whether a flight recorder goes aboard of what has no trainer."""
    sites: Recorder = field(init=False)

    def __post_init__(self) -> None:
        """Begin to record; what can't be recorded becomes a problem."""
        self.sites = Recorder(self.problems)

    def training_starts(self, parts: Mapping[str, Any]) -> Proceed:
        """Examine a training that is about to start."""
        if self.watching is not None:
            self.watching.rest()  # what we run, or a trainer, is no loop of the script's own
        if self.stand_ins:  # that it gives no names must not look as if there were none
            parts = {name: part for name, part in parts.items() if name != "metrics"}
        self.sites.paused = True  # what is made from here on is not made by the script
        try:
            return self.examine(parts)
        finally:
            self.sites.paused = False
