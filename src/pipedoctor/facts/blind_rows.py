"""Rows in which a model has nothing to look at, and what the loss makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import UNKNOWN, Fact


@dataclass(frozen=True, repr=False, eq=False)
class BlindRows(Fact):
    """
    The training rows without a token, or whose mask opens none: those that were run.

    `loss` is that of a batch of such rows beside a whole one; `UNKNOWN` where there are none.
    """

    doing = "Running the rows without a token"

    rows: tuple[int, ...] = ()
    loss: float = UNKNOWN

    def summary(self) -> Mapping[str, object]:
        """Tell how many were run."""
        return {"rows": len(self.rows)}
