"""Tokens that were added to a vocabulary, and whether training reaches their rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import Fact


@dataclass(frozen=True, repr=False, eq=False)
class NewTokens(Fact):
    """
    The tokens of the first batches that the checkpoint has no embedding for.

    `names` maps their ids to their names, `rows` tells which rows hold one; the padding token is
    not counted. `stored` is the number of rows that the checkpoint's embedding has. `embedding`
    and `head` say whether training changes these rows, in the input embedding and in the output
    layer; `layers` are the names of both (one, where they are the same tensor).
    """

    doing = "Looking for new tokens in the data"

    names: Mapping[int, str]
    rows: tuple[int, ...]
    stored: int
    embedding: bool
    head: bool
    layers: tuple[str, ...]

    def summary(self) -> Mapping[str, object]:
        """Tell how many there are."""
        return {"tokens": len(self.names), "embedding": self.embedding, "head": self.head}
