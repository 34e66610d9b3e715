"""What one update changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import Fact


@dataclass(frozen=True)
class Move:
    """
    How one trained parameter changed: the norm of its update over its own, and how much moved.

    `ratio` is None where the parameter was zero. `moved` is the number of elements that have
    another value than before; rounding can keep all of them. `gradient` is the norm of what the
    update was made from, None where there was no gradient.
    """

    ratio: float | None
    moved: int
    size: int
    dtype: str
    gradient: float | None


@dataclass(frozen=True, repr=False, eq=False)
class Step(Fact):
    """
    The first update with the user's own optimizer and rate, made on one batch and undone.

    `of` has an entry for each trainable parameter that the optimizer holds; `rates` are those of
    its groups.
    """

    doing = "Making one update"

    of: Mapping[str, Move]
    optimizer: str
    rates: tuple[float, ...]

    @property
    def still(self) -> tuple[str, ...]:
        """The parameters that had a gradient, and of which no element moved."""
        return tuple(n for n, move in self.of.items() if move.gradient and not move.moved)

    def summary(self) -> Mapping[str, object]:
        """Tell how many moved."""
        return {"parameters": len(self.of), "still": len(self.still)}
