"""Prompts with answers that are compared: how long they are, and what the limit leaves of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import Fact
from pipedoctor.finding import NOWHERE, Location


@dataclass(frozen=True, repr=False, eq=False)
class Answers(Fact):
    """
    The rows of data whose columns hold the tokens of a prompt and of its answers.

    `rows` counts those that are stored, `dropped` those of them that a filter took out again.
    `limit` is the number of tokens that a prompt and an answer may have together; from `keeps`
    what is longer is kept: the "start" or the "end". `cut` rows lose a part of an answer, which
    is `lost` of the `tokens` that these answers have; in `bare` rows nothing is left of one. `first` are
    the first rows that are cut. `needs` are the limits in which 90, 98 and 100 % of all rows fit.
    """

    doing = "Measuring prompts and answers"
    per_split = True

    columns: tuple[str, ...]
    rows: int
    dropped: int
    limit: int
    keeps: str
    cut: int
    bare: int
    lost: int
    tokens: int
    first: tuple[int, ...]
    needs: tuple[int, int, int]
    where: Location = NOWHERE

    def summary(self) -> Mapping[str, object]:
        """Tell rows, limit, and what is cut."""
        return {"rows": self.rows, "limit": self.limit, "cut": self.cut, "dropped": self.dropped}
