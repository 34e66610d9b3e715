"""What a run will put on the disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import UNKNOWN, Fact
from pipedoctor.facts.retention import Retention


@dataclass(frozen=True, repr=False, eq=False)
class CheckpointPlan(Fact):
    """
    How many checkpoints of what size a run writes, and how many of them stand there at once.

    `peak` counts the most that exist at a time: the new one is written before the oldest is
    deleted. Where the best one is kept besides the newest, it is the most that can come about.
    `kept` counts those that are left when the run has ended. `bytes_each` is the sum of weights,
    optimizer state and small files.
    """

    count: int
    peak: int
    bytes_each: int = UNKNOWN
    weights_bytes: int = UNKNOWN
    optimizer_bytes: int = UNKNOWN
    kept: int = UNKNOWN
    retention: Retention = UNKNOWN
    """Which of them exist when."""

    @property
    def peak_bytes(self) -> int:
        """The most bytes that the checkpoints take at a time."""
        return self.peak * self.bytes_each

    def summary(self) -> Mapping[str, object]:
        """Tell the figures."""
        names = ("count", "peak", "kept", "bytes_each")
        told: dict[str, object] = {n: getattr(self, n) for n in names if self.known(n)}
        if self.known("bytes_each") and self.known("peak"):
            told["peak_bytes"] = self.peak_bytes
        return told
