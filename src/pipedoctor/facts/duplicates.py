"""Rows with the same input: in the evaluation data and in the training data, or of other labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipedoctor.fact import UNKNOWN, Fact
from pipedoctor.finding import NOWHERE, Location


@dataclass(frozen=True, repr=False, eq=False)
class Duplicates(Fact):
    """
    The inputs of the rows of a split, compared with each other and with those of the training.

    Two rows are the same if the columns `columns` are equal, value by value. `distinct` counts
    the inputs that differ. `shared` rows of this split stand in the training data too; it is
    `UNKNOWN` for the training data itself. `contradicting` counts the rows whose input occurs
    with several labels, `unlearnable` those of them that must be wrong whatever a model answers.
    If only some rows were looked at, `of` is how many there are: `rows` is the number drawn.
    `pairs` are examples: rows of this split, each with the row that has the same input.
    """

    doing = "Comparing the rows with each other"
    per_split = True

    columns: tuple[str, ...]
    rows: int
    distinct: int
    shared: int = UNKNOWN
    shared_pairs: tuple[tuple[int, int], ...] = ()
    contradicting: int = UNKNOWN
    unlearnable: int = UNKNOWN
    pairs: tuple[tuple[int, int], ...] = ()
    pair_labels: tuple[tuple[object, object], ...] = ()
    of: int | None = None
    train_rows: int = 0
    """The rows of the training data that those of this split were looked for in."""
    train_of: int | None = None
    texts: Mapping[int, str] = field(default_factory=dict)
    where: Location = NOWHERE

    def summary(self) -> Mapping[str, object]:
        """Tell the counts."""
        told: dict[str, object] = {"rows": self.rows, "distinct": self.distinct}
        if self.of is not None:
            told["of"] = self.of
        if self.known("shared"):
            told["shared"] = self.shared
        return told
