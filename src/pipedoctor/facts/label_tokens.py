"""How many labels of each row count for the loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipedoctor.fact import UNKNOWN, Fact
from pipedoctor.finding import NOWHERE, Location


@dataclass(frozen=True, repr=False, eq=False)
class LabelTokens(Fact):
    """
    The number of labels in each row that are not -100, over all rows of a split.

    `lengths` maps a number of labels to the number of rows that have so many. `empty` are the
    first rows that have none. The batches are those of an evaluation, which takes the rows in
    order: of `batches`, `empty_batches` hold no label at all, the first of them these
    `empty_rows`.
    """

    doing = "Counting the labels of each row"
    per_split = True

    column: str
    rows: int
    lengths: Mapping[int, int]
    empty: tuple[int, ...] = ()
    batches: int = UNKNOWN
    empty_batches: int = UNKNOWN
    empty_rows: tuple[int, ...] = ()
    where: Location = field(default=NOWHERE)

    def longer_than(self, limit: int) -> int:
        """Return how many rows have more labels than this."""
        return sum(count for length, count in self.lengths.items() if length > limit)

    @property
    def without(self) -> int:
        """How many rows have no label."""
        return self.lengths.get(0, 0)

    @property
    def longest(self) -> int:
        """The most labels that a row has."""
        return max(self.lengths, default=0)

    def summary(self) -> Mapping[str, object]:
        """Tell rows, the longest, and those without."""
        return {"rows": self.rows, "longest": self.longest, "without": self.without}
