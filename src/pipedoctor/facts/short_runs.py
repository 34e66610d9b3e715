"""What some updates at the user's rate come to, and at lower ones, where the rate looks too high."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import Fact
from pipedoctor.facts.overfit import Curve
from pipedoctor.finding import NOWHERE, Location


@dataclass(frozen=True, repr=False, eq=False)
class ShortRuns(Fact):
    """
    Short trainings from where the weights stand, all of them undone.

    `ratio` is about how large the first update is against the weights, by the size of both, for
    the matrix in the middle; `matrices` is how many there are. Only where it is large are there
    `curves`: of the user's own rate first, then of lower ones until one learns. The goal of a curve
    is what proves that some `rows` are learned, `base` what a constant answer would get.
    """

    doing = "Trying the learning rate"

    ratio: float
    matrices: int
    rate: float
    optimizer: str
    curves: tuple[Curve, ...] = ()
    rows: int = 0
    base: float = 0.0
    of_loop: bool = False
    """
    Whether it is a loop of the script's own, watched while it ran: then nothing was tried, `ratio`
    is how many times as large as at its start the matrix in the middle has become, and there is
    at most one curve, that of the loop.
    """

    where: Location = NOWHERE
    """The line of a loop that makes the steps."""

    def summary(self) -> Mapping[str, object]:
        """Tell what was tried: proof that it ran."""
        return {"ratio": self.ratio, "curves": len(self.curves)}
