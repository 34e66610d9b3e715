"""How a run is spread over processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import UNKNOWN, Fact


@dataclass(frozen=True, repr=False, eq=False)
class Distribution(Fact):
    """
    How many processes train one model, and how they share the work.

    `wrapped` says whether each of them holds the whole model in DistributedDataParallel, rather
    than a part of it (FSDP, DeepSpeed). `finds_unused` is the value of `find_unused_parameters`.
    """

    processes: int
    wrapped: bool = UNKNOWN
    finds_unused: bool = UNKNOWN

    def summary(self) -> Mapping[str, object]:
        """Tell the count."""
        return {"processes": self.processes}
