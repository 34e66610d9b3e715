"""The numbers that go into a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import Fact
from pipedoctor.finding import NOWHERE, Location


@dataclass(frozen=True)
class Input:
    """
    One array that goes into the model.

    `shape` is that of a row. `minimum` … `std` are over all finite elements that were looked at,
    None for texts. `features` is the number of elements of a row, and `constant` holds the places
    of those that are the same in every row looked at, at most 20 of them; `constant_count` counts
    them all. `scales` are the smallest and the largest standard deviation of a feature that is
    not constant, where a row is a list of numbers. `layer` is the class of the first layer that
    it meets, where that can be told ("Normalization", "Rescaling", "Embedding" …).
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    rows: int
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    std: float | None = None
    not_finite: int = 0
    not_finite_rows: tuple[int, ...] = ()
    """The first rows that hold NaN or infinities, at most three."""
    features: int = 0
    constant: tuple[int, ...] = ()
    constant_count: int = 0
    scales: tuple[float, float] | None = None
    layer: str = ""
    whole: bool = False
    """Whether all numbers that were looked at are whole."""


@dataclass(frozen=True, repr=False, eq=False)
class Inputs(Fact):
    """
    What of the data goes into the model, array by array.

    `rows` is the number of rows that were looked at; `complete` says whether these were all, and
    `part` says it in words ("all 1,000 rows", "the first 320 rows").
    """

    doing = "Looking at the numbers that go into the model"
    per_split = True

    inputs: tuple[Input, ...]
    rows: int
    complete: bool
    part: str
    where: Location = NOWHERE

    def summary(self) -> Mapping[str, object]:
        """Tell names and ranges: proof that it was read."""
        told = {
            one.name: {"shape": list(one.shape), "minimum": one.minimum, "maximum": one.maximum}
            for one in self.inputs
        }
        return {"rows": self.rows, "complete": self.complete, "inputs": told}
