"""The learning rates that are usual for such a training, and who says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import Fact


@dataclass(frozen=True, repr=False, eq=False)
class UsualRates(Fact):
    """
    The rates from `low` to `high`, of which `first` is to be tried first.

    `kind` are the models of which that is known, `method` what is trained of them, `optimizer` what
    with. `scaled` is the factor that the rates of the source were multiplied by, since `batch`,
    the rows of an update, is far from what it had.
    """

    kind: str
    method: str
    optimizer: str
    low: float
    high: float
    first: float
    source: str
    parameters: int
    batch: int | None = None
    scaled: float = 1.0

    def summary(self) -> Mapping[str, object]:
        """Tell the range and its source."""
        return {"low": self.low, "high": self.high, "source": self.source}

    def figures(self) -> Mapping[str, object]:
        """Tell all of it."""
        return dict(vars(self))
