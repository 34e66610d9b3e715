"""One run of a user's script: what is done when a training starts, and what was met on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn


@dataclass
class Session:
    """
    What adapters tell of a running script.

    `examine` gets the parts of a training that is about to start, and does not come back: the
    process ends there. An exception would run the script's `finally` blocks, and those may save
    a model that was never trained. `problems` are sentences on what could not be had here;
    `stand_ins` says whether something stands in for a metric.
    """

    examine: Callable[[Mapping[str, Any]], NoReturn]
    problems: list[str] = field(default_factory=list)
    stand_ins: bool = False

    def training_starts(self, parts: Mapping[str, Any]) -> NoReturn:
        """Examine a training, and end the process."""
        self.examine(parts)
