"""The labels as the loss will get them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field

from pipedoctor.fact import UNKNOWN, Fact
from pipedoctor.finding import Location

IGNORED = -100
"""The label that PyTorch's cross-entropy leaves out (`ignore_index`)."""


@dataclass(frozen=True, repr=False, eq=False)
class Labels(Fact):
    """
    The labels of a split, counted: all of them, or those of the rows that could be read.

    If only some rows were read, `of` is the number there is (None: a stream has none that is
    known), `rows` the number read, and `seen` holds their counts: what these hold is there, but
    what they do not hold may still be. `counts`, `distinct`, `minimum` and `maximum`, which speak
    of all labels, are `UNKNOWN` then.

    `kind` is "int", "float", "text", "bool" or "other" for one label a row; with `width` set,
    each row (or token, if `per_token`) has a list of that many ("multi-hot"), or of its own
    length (`width` 0). `counts` maps each distinct value to the number of its rows (or tokens);
    it is `UNKNOWN` where there are more than `MOST_DISTINCT` distinct ones, as with a regression.
    `examples` gives, for a value, the indices of the first rows that hold it.
    `hot` gives the same for rows of zeros and a single one: for the place of the one, the first
    rows that have it there; empty where a row is anything else.
    `texts` holds the beginning of the text of those rows, for people to see.
    """

    doing = "Counting the labels"
    per_split = True
    MOST_DISTINCT = 1000

    column: str
    kind: str
    rows: int
    counts: Mapping[int | float | str | bool, int] = UNKNOWN
    distinct: int = UNKNOWN
    missing: int = 0
    """Rows without a label (null)."""
    width: int | None = None
    per_token: bool = False
    minimum: float = UNKNOWN
    maximum: float = UNKNOWN
    examples: Mapping[int | float | str | bool, tuple[int, ...]] = field(default_factory=dict)
    hot: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    texts: Mapping[int, str] = field(default_factory=dict)
    names: Mapping[int, str] = field(default_factory=dict)
    partial: bool = False
    of: int | None = None
    seen: Mapping[int | float | str | bool, int] = UNKNOWN
    where: Location = field(default_factory=lambda: Location(column="labels"))
    hot_counts: tuple[int, ...] = ()
    """How many rows have their 1 at each place, where all rows are zeros and a single one."""

    @property
    def classes(self) -> tuple[int, ...]:
        """The distinct labels of a column of integers, in order, without the ignored one."""
        return tuple(sorted({int(value) for value in self.counts} - {IGNORED}))

    def shares(self, values: Container[object]) -> tuple[int, float]:
        """Return how many rows (or tokens) hold one of these values, and what share of all."""
        count = sum(n for value, n in self.counts.items() if value in values)
        total = sum(self.counts.values())
        return count, count / total if total else 0.0

    def summary(self) -> Mapping[str, object]:
        """Tell rows, column and distribution."""
        told: dict[str, object] = {"rows": self.rows, "column": self.column}
        if self.partial:
            told["of"] = self.of
            if self.known("seen") and len(self.seen) <= 50:
                told["seen"] = {str(value): count for value, count in self.seen.items()}
        if self.known("counts") and len(self.counts) <= 50:
            told["counts"] = {str(value): count for value, count in self.counts.items()}
        return told


def listed(values: Iterable[object], most: int = 8) -> str:
    """Return values as a sentence lists them; of many, the first and the last: 0, 1, 2 … 149."""
    told = [str(value) for value in values]
    if len(told) <= most:
        return ", ".join(told)
    return f"{', '.join(told[: most - 2])} … {told[-1]}"
