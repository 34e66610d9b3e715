"""What an evaluation keeps of what the model answers, until the metrics are computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import UNKNOWN, Fact


@dataclass(frozen=True, repr=False, eq=False)
class KeptPredictions(Fact):
    """
    The answers that Trainer keeps for its metrics: `rows` times `row_bytes`.

    `outputs` are the bytes of a row by the name of what the model answers. They are kept on the
    device until `moved_every` batches are done (None: until the end), and in the memory of the
    machine afterwards, where `free` bytes are.
    """

    doing = "Going through an evaluation step without values"

    rows: int
    row_bytes: int
    outputs: Mapping[str, int]
    moved_every: int | None = None
    device: str = "gpu"
    room: int | None = None
    """The memory of the device, where it is stated."""
    free: int = UNKNOWN

    @property
    def total(self) -> int:
        """All that is kept."""
        return self.rows * self.row_bytes

    def summary(self) -> Mapping[str, object]:
        """Tell the product."""
        return {"rows": self.rows, "row_bytes": self.row_bytes}
