"""What a run will put on the disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import UNKNOWN, Fact


@dataclass(frozen=True, repr=False, eq=False)
class CheckpointPlan(Fact):
    """
    How many checkpoints of what size a run writes, and how many of them stand there at once.

    `peak` counts the most that exist at a time: the new one is written before the oldest is
    deleted. `bytes_each` is the sum of weights, optimizer state and small files.
    """

    count: int
    peak: int
    bytes_each: int = UNKNOWN
    weights_bytes: int = UNKNOWN
    optimizer_bytes: int = UNKNOWN

    @property
    def peak_bytes(self) -> int:
        """The most bytes that the checkpoints take at a time."""
        return self.peak * self.bytes_each

    def summary(self) -> Mapping[str, object]:
        """Tell the figures."""
        told: dict[str, object] = {"count": self.count, "peak": self.peak}
        if self.known("bytes_each"):
            told |= {"bytes_each": self.bytes_each, "peak_bytes": self.peak_bytes}
        return told
