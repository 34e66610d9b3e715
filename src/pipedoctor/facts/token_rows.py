"""What all rows of token ids have in common: ids, masks and labels, row by row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipedoctor.fact import UNKNOWN, Fact
from pipedoctor.finding import NOWHERE, Location


@dataclass(frozen=True)
class Those:
    """Some rows: how many there are, and the first of them."""

    count: int = 0
    rows: tuple[int, ...] = ()


@dataclass(frozen=True, repr=False, eq=False)
class TokenRows(Fact):
    """
    The token ids of all rows that were looked at, not only of those that are run.

    `empty` are the rows without any token, `masked` those that have some, of which the attention
    mask opens none. `least` and `most` are the extreme ids, `holders` the first rows that hold
    them. `apart` maps a column that should have a value for each token, `labels` for instance, to
    the rows in which it has more or fewer; `lengths` has an example: row, its tokens, its values.
    If only some rows were looked at, `of` is how many there are.

    `first` counts the labels of the first tokens, where all rows begin with the same one.
    """

    doing = "Looking at the tokens of all rows"
    per_split = True

    rows: int
    of: int | None = None
    empty: Those = Those()
    masked: Those = UNKNOWN
    least: int = UNKNOWN
    most: int = UNKNOWN
    holders: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    apart: Mapping[str, Those] = field(default_factory=dict)
    lengths: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    first: Mapping[int, int] = UNKNOWN
    where: Location = field(default=NOWHERE)

    def summary(self) -> Mapping[str, object]:
        """Tell how many rows were looked at: proof that it ran."""
        told: dict[str, object] = {"rows": self.rows, "without_tokens": self.empty.count}
        if self.of is not None:
            told["of"] = self.of
        if self.known("masked"):
            told["masked"] = self.masked.count
        return told
