"""Whether the weights in memory are finite."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import Fact


@dataclass(frozen=True)
class Spoilt:
    """
    A parameter with values that are NaN or infinite: how many of how many.

    `rows` are the first rows of a matrix, an embedding say, that hold them, `of_rows` of how many;
    empty where it is no matrix.
    """

    count: int
    size: int
    rows: tuple[int, ...] = ()
    of_rows: int = 0


@dataclass(frozen=True, repr=False, eq=False)
class Weights(Fact):
    """The parameters of the model by name that hold values which are not finite."""

    doing = "Looking for weights that are not finite"

    looked: int
    """How many parameters were looked at."""
    spoilt: Mapping[str, Spoilt]

    def summary(self) -> Mapping[str, object]:
        """Tell how many there are."""
        return {"parameters": self.looked, "spoilt": len(self.spoilt)}
