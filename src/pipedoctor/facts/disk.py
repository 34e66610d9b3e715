"""The room where a run writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import Fact


@dataclass(frozen=True, repr=False, eq=False)
class Disk(Fact):
    """
    The file system that holds `output_dir`: bytes free to this user, and in all.

    `path` is `output_dir` as stated; where it does not exist yet, the nearest folder above it
    that does was measured. `total` is `UNKNOWN` where only the free room was stated.
    """

    path: str
    free: int
    total: int

    def summary(self) -> Mapping[str, object]:
        """Tell the figures."""
        told: dict[str, object] = {"path": self.path, "free": self.free}
        if self.known("total"):
            told["total"] = self.total
        return told
