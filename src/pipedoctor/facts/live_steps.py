"""What real steps took on the device that is here, and the largest batch that ran."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipedoctor.fact import Fact


@dataclass(frozen=True)
class Tried:
    """A batch that was tried: `ran` of its `wanted` steps were run; `reserved` bytes at the peak."""

    rows: int
    ran: int
    wanted: int
    reserved: int | None


@dataclass(frozen=True, repr=False, eq=False)
class LiveSteps(Fact):
    """
    Some steps of a copy of the model, on the device that is here.

    `allocated` and `reserved` are the peaks of the steps; `unused` and `split` say how the
    allocator's memory lay afterwards, None where it does not tell. `largest` is the largest batch
    that ran, None where none was searched; `certain` says that one row more did not.
    """

    doing = "Running real steps on the device"

    device: str
    rows: int
    length: int | None
    steps: int
    allocated: int
    reserved: int
    free: int
    total: int
    unused: int | None = None
    split: int | None = None
    retries: int | None = None
    largest: int | None = None
    certain: bool = False
    tried: tuple[Tried, ...] = field(default_factory=tuple)
    notes: tuple[str, ...] = ()

    def summary(self) -> Mapping[str, object]:
        """Tell the peak."""
        return {"device": self.device, "rows": self.rows, "reserved": self.reserved}

    def figures(self) -> Mapping[str, object]:
        """Show everything."""
        return {**vars(self), "tried": [vars(one) for one in self.tried]}
