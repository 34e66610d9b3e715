"""A few rows as they go into the collator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import Fact


@dataclass(frozen=True, repr=False, eq=False)
class Samples(Fact):
    """
    The rows of the first batch and the two longest ones, column by column, before collation.

    `rows` are their indices. `lengths` has an entry for each column that holds a sequence: its
    length in each of these rows. `missing` maps a column to the rows that lack it or hold None.
    `together` lists the rows that were asked for as one batch, where what a row holds may depend
    on the others: a transform that pads does. `read` is the number of rows among which the
    longest were looked for, None where these were all.
    """

    doing = "Reading the first and the longest rows"
    per_split = True

    rows: tuple[int, ...]
    columns: tuple[str, ...]
    lengths: Mapping[str, tuple[int, ...]]
    missing: Mapping[str, tuple[int, ...]]
    together: tuple[tuple[int, ...], ...] = ()
    read: int | None = None

    def groups(self, column: str) -> list[list[tuple[int, int]]]:
        """Return row and length of a column, in groups of rows that can be compared."""
        pairs = list(zip(self.rows, self.lengths[column], strict=True))
        if not self.together:
            return [pairs]
        return [[pair for pair in pairs if pair[0] in group] for group in self.together]

    def summary(self) -> Mapping[str, object]:
        """Tell how many rows were looked at."""
        told: dict[str, object] = {"rows": len(self.rows)}
        return told if self.read is None else told | {"longest_of": self.read}
