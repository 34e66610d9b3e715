"""One run of a user's script: what is done when a training starts, and what was met on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


class Stop(BaseException):
    """Ends a script that was examined; no Exception, or `except Exception` would hold it."""


@dataclass
class Session:
    """
    What adapters tell of a running script.

    `examine` gets the parts of a training that is about to start; the script ends after it.
    `problems` are sentences on what could not be had here and was replaced by a stand-in.
    """

    examine: Callable[[Mapping[str, Any]], None]
    problems: list[str] = field(default_factory=list)
    trainings: int = 0

    def training_starts(self, parts: Mapping[str, Any]) -> None:
        """Examine a training, and end the script."""
        self.trainings += 1
        self.examine(parts)
        raise Stop
