"""In which order the labels come, row after row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import UNKNOWN, Fact
from pipedoctor.finding import NOWHERE, Location


@dataclass(frozen=True, repr=False, eq=False)
class LabelOrder(Fact):
    """
    How often the label changes from one row to the next, against a shuffled order.

    `runs` counts the stretches of rows of one label; in a random order there are `expected` on
    average, with a standard deviation of `deviation`. `longest` is the longest stretch, from row
    `begins`, of the label `label`. `shuffled` says whether training draws the rows at random.
    """

    doing = "Looking at the order of the labels"
    per_split = True

    column: str
    rows: int
    classes: int
    runs: int
    expected: float
    deviation: float
    longest: int
    begins: int
    label: object
    shuffled: bool = UNKNOWN
    unshuffled_by: str = ""
    """What keeps the rows in their order, where they are not shuffled."""
    where: Location = NOWHERE
    stream: bool = False
    """Whether it is a stream, of which `rows` were read, from the first on, and no others."""

    def summary(self) -> Mapping[str, object]:
        """Tell the runs."""
        return {"runs": self.runs, "expected": round(self.expected, 1)}
