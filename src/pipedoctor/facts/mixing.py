"""Whether the rows of a batch stay apart: in the batch itself, and on their way through the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import UNKNOWN, Fact


@dataclass(frozen=True)
class Layer:
    """
    The first layer that mixed rows: what went in differed in one row only, what came out in others.

    `batch_first` and `axis` are the settings of these names, None where the layer has none.
    """

    name: str
    kind: str
    batch_first: bool | None = None
    axis: int | None = None


@dataclass(frozen=True, repr=False, eq=False)
class Mixing(Fact):
    """
    A batch was run twice in evaluation mode, the second time with one of its rows replaced.

    `replaced` is the place of that row in the batch. `change` is the largest change of the answers
    to the other rows, `own` that of the answer to the row itself, and `changed` are the places of
    the others; `scale` is the size of the answers. `rounding` is what the precision of the model may
    change of it. A row that goes its own way has a change of about 0.
    """

    doing = "Running a batch with one of its rows replaced"

    rows: int
    replaced: int
    change: float
    own: float
    scale: float
    rounding: float
    changed: tuple[int, ...] = ()
    layer: Layer | None = None
    library: str = UNKNOWN

    @property
    def mixed(self) -> bool:
        """Whether other rows change by more than rounding, and by a share of what the row itself does."""
        return self.change > self.rounding * self.scale and self.change > 0.01 * self.own

    def summary(self) -> Mapping[str, object]:
        """Tell the change."""
        return {"rows": self.rows, "change": self.change, "scale": self.scale}


@dataclass(frozen=True, repr=False, eq=False)
class MixedBatch(Fact):
    """
    A batch was made twice, the second time with one of its rows replaced.

    `arrays` are the arrays in which other rows changed, each with the places of those rows;
    `looked` counts the arrays that have a place for each row.
    """

    doing = "Making a batch with one of its rows replaced"

    rows: int
    replaced: int
    looked: int
    arrays: Mapping[str, tuple[int, ...]]

    def summary(self) -> Mapping[str, object]:
        """Tell what was looked at."""
        return {"rows": self.rows, "arrays": self.looked, "mixed": list(self.arrays)}
