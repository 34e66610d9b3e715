"""Whether a language model is taught where a text ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import Fact


@dataclass(frozen=True, repr=False, eq=False)
class EndToken(Fact):
    """
    The end-of-text token in the batches of a causal language model.

    Of `rows` rows, those in `holding` hold the token among their inputs, padding not counted;
    in `learned` of them it has a label other than -100, beside rows that learn other tokens.
    """

    doing = "Looking for the end token among the labels"
    per_split = True

    token: str
    id: int
    pads: bool
    """Whether the padding token is the same."""
    rows: int
    holding: tuple[int, ...]
    learned: int
    collator: str = ""

    def summary(self) -> Mapping[str, object]:
        """Tell how many rows hold it, and in how many it is learned."""
        return {"rows": self.rows, "holding": len(self.holding), "learned": self.learned}
