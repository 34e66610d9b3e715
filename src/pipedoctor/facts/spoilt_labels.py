"""Labels of floats that are not finite, and what the loss makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import UNKNOWN, Fact


@dataclass(frozen=True, repr=False, eq=False)
class SpoiltLabels(Fact):
    """
    The rows of the training data whose label is NaN or infinite: the first, and how many.

    `loss` is that of a batch of such rows; `UNKNOWN` where there are none. A loss that leaves
    labels of NaN out is finite.
    """

    doing = "Computing the loss of labels that are not finite"

    column: str
    count: int
    of: int
    rows: tuple[int, ...] = ()
    loss: float = UNKNOWN

    def summary(self) -> Mapping[str, object]:
        """Tell how many there are."""
        return {"rows": self.of, "spoilt": self.count}
