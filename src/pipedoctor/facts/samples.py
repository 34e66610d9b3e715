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
    """

    doing = "Reading the first and the longest rows"
    per_split = True

    rows: tuple[int, ...]
    columns: tuple[str, ...]
    lengths: Mapping[str, tuple[int, ...]]
    missing: Mapping[str, tuple[int, ...]]

    def summary(self) -> Mapping[str, object]:
        """Tell how many rows were looked at."""
        return {"rows": len(self.rows)}
