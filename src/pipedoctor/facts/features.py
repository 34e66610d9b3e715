"""Columns of numbers that go into the model as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipedoctor.fact import Fact
from pipedoctor.finding import NOWHERE, Location


@dataclass(frozen=True)
class Feature:
    """
    One number of each row: its range over all rows that have one.

    `not_finite` counts NaN and infinities, `first_bad` are the first rows of these; `missing`
    counts rows without a value.
    """

    minimum: float
    maximum: float
    mean: float
    deviation: float
    not_finite: int = 0
    missing: int = 0
    first_bad: tuple[int, ...] = ()


@dataclass(frozen=True, repr=False, eq=False)
class Features(Fact):
    """
    The numbers of each row, by name: a column, or a place in a column of lists ("x[3]").

    Counted over `rows` rows; if those are not all, `of` is how many there are.
    """

    doing = "Looking at the numbers that are inputs"
    per_split = True

    of_name: Mapping[str, Feature]
    rows: int
    of: int | None = None
    where: Location = field(default=NOWHERE)

    def summary(self) -> Mapping[str, object]:
        """Tell how many there are."""
        return {"rows": self.rows, "features": len(self.of_name)}
