"""How long the rows are, and what padding them costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipedoctor.fact import UNKNOWN, Fact
from pipedoctor.finding import NOWHERE, Location


@dataclass(frozen=True, repr=False, eq=False)
class Lengths(Fact):
    """
    The lengths of the rows of a split in tokens, padding that they hold not counted.

    `stored` are the tokens that are stored, padding and all, `tokens` those that are none. Where
    all rows are stored in one length, `width` is that. `batched` is what would be stored if each
    batch of `batch` rows were padded to its own longest row: the mean over batches drawn at
    random, scaled to all rows. `at_longest` counts the rows that are as long as the longest.
    `left_out` counts rows without any label that a filter has taken out again.
    """

    doing = "Measuring the rows"
    per_split = True

    column: str
    rows: int
    tokens: int
    stored: int
    longest: int
    at_longest: int
    width: int | None = None
    batch: int = 0
    batched: int = UNKNOWN
    left_out: int = 0
    packed: bool = False
    """Whether several texts stand in a row."""
    above: Mapping[int, int] = field(default_factory=dict)
    """Of some lengths: how many rows are longer."""
    covering: int | None = None
    """The length that 99 of 100 rows do not exceed, rounded up to a multiple of 8."""
    cut_tokens: float = 0.0
    """The share of the tokens that is lost if longer rows are cut there."""
    where: Location = NOWHERE

    @property
    def padded_share(self) -> float:
        """The share of what is stored that is padding."""
        return 1 - self.tokens / self.stored if self.stored else 0.0

    def summary(self) -> Mapping[str, object]:
        """Tell rows and tokens."""
        return {"rows": self.rows, "tokens": self.tokens, "longest": self.longest}
