"""Stored token ids against the texts beside them, tokenised anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipedoctor.fact import Fact
from pipedoctor.finding import NOWHERE, Location


@dataclass(frozen=True, repr=False, eq=False)
class Recoded(Fact):
    """
    Some rows that hold a text and its token ids, tokenised anew by the tokenizer of this run.

    Of `rows` rows drawn at random, `same` have the same tokens, `cut` the beginning (or the end)
    of them, `inside` hold the text with more around it, and `foreign` neither hold the text nor
    read like it. `longest` tells of the rows that are as long as the longest row, of which
    `longest_cut` hold only a part of their text: `kept` tokens of `whole`. `needs` are the
    lengths that these rows have uncut. `shows` sets a foreign row's text against how its tokens
    read.
    """

    doing = "Tokenising some rows anew"
    per_split = True

    columns: tuple[str, ...]
    rows: int
    same: int = 0
    cut: int = 0
    inside: int = 0
    foreign: tuple[int, ...] = ()
    longest: int = 0
    longest_cut: tuple[int, ...] = ()
    kept: int = 0
    whole: int = 0
    needs: tuple[int, ...] = ()
    left_out_needs: tuple[int, ...] = ()
    """The same of rows that a filter has taken out again, since no label was left of them."""
    shows: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    where: Location = NOWHERE

    def summary(self) -> Mapping[str, object]:
        """Tell how many rows were tokenised."""
        return {"rows": self.rows, "same": self.same, "foreign": len(self.foreign)}
