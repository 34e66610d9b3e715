"""Which positions of a batch the attention mask opens, and where padding stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import Fact


@dataclass(frozen=True)
class Masked:
    """
    The mask of one row: how many positions it opens, and padding that it opens.

    `before` and `behind` are the runs of the pad id at the ends of the row that the mask opens;
    `closed_before` and `closed_behind` those positions at its ends that it closes.
    """

    open: int
    before: int = 0
    behind: int = 0
    closed_before: int = 0
    closed_behind: int = 0


@dataclass(frozen=True, repr=False, eq=False)
class Masks(Fact):
    """
    The masks of the batches that are looked at, each a mapping of rows of the data.

    `pad_id` is the token that rows are filled up with.
    """

    doing = "Looking at the attention masks"
    per_split = True

    batches: tuple[Mapping[int, Masked], ...]
    pad_id: int | None = None

    def summary(self) -> Mapping[str, object]:
        """Tell how many rows were looked at."""
        return {"rows": sum(map(len, self.batches)), "pad_id": self.pad_id}
