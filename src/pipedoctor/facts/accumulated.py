"""Whether a batch that is accumulated in parts gives the gradient of the whole batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import Fact

SEPARABLE = 0.02
"""
Up to this share of the gradient may be left over when it is put together from those of the parts.

More is left where the loss compares rows with each other, or draws at random: then parts can't
give the gradient of the whole, and nothing follows from their difference.
"""

OFF = 0.25
"""A part that counts by this share more or less than it should; less is no loss of quality."""


@dataclass(frozen=True, repr=False, eq=False)
class Accumulated(Fact):
    """
    One batch, and the same rows in two parts of equal size, through the trainer's own training step.

    The gradient of the whole is `shares[0]` times that of the first part and `shares[1]` times that of
    the second, but for a `residual` share of it; added up as a run adds them, both should be 1.
    `steps` is the number of batches that the run accumulates. `own` names what of the user's computes
    the loss ("compute_loss", "compute_loss_func"), empty if it is the library's or the model's;
    `counts` says whether that loss changes with the number of items that it is told.
    """

    doing = "Accumulating a batch in two parts"

    steps: int
    rows: int
    items: tuple[int, int] | None
    whole: float
    parts: float
    shares: tuple[float, float]
    residual: float
    own: str = ""
    counts: bool | None = None
    model: str = ""
    foreign: bool = False
    """Whether the model's class is transformers' own, not one that the user wrote."""
    settable: bool = False
    """Whether this release has `loss_is_scaled_for_ga` to say that a loss is a mean."""

    @property
    def separable(self) -> bool:
        """Whether the gradient of the whole is made of those of the parts."""
        return self.residual < SEPARABLE and min(self.shares) > 0

    @property
    def factor(self) -> float | None:
        """By what the accumulated gradient is too large where both parts count alike; else None."""
        one, other = self.shares
        alike = abs(one - other) <= 0.1 * max(one, other)
        factor = 2 / (one + other) if self.separable else 1.0
        return factor if alike and abs(factor - 1) > OFF else None

    @property
    def uneven(self) -> bool:
        """Whether one part counts for more than it should beside the other."""
        one, other = self.shares
        return self.separable and abs(one - other) > OFF * (one + other) / 2

    def summary(self) -> Mapping[str, object]:
        """Tell what came of it."""
        return {"steps": self.steps, "shares": list(self.shares), "residual": self.residual}
