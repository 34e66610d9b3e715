"""What the elements of a checkpoint's tensors are, as far as they were read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import Fact


@dataclass(frozen=True)
class Elements:
    """
    The elements of one tensor that no weight should have.

    `first` is the index of the first that is not finite, counted through the whole tensor.
    """

    total: int
    nan: int = 0
    infinite: int = 0
    first: int | None = None
    all_zero: bool = False


@dataclass(frozen=True, repr=False, eq=False)
class SavedValues(Fact):
    """The floating-point tensors of the weights, every element read, by file and name."""

    doing = "Reading the elements of the weights"

    elements: Mapping[str, Mapping[str, Elements]]
    bytes: int = 0
    """How many were read."""

    def summary(self) -> Mapping[str, object]:
        """Tell how many were read."""
        return {"tensors": sum(map(len, self.elements.values())), "bytes": self.bytes}

    def figures(self) -> Mapping[str, object]:
        """Return what was read, and which tensors have elements that no weight should have."""
        odd = {
            file: {
                name: {"nan": e.nan, "infinite": e.infinite, "all_zero": e.all_zero}
                for name, e in tensors.items()
                if e.nan or e.infinite or e.all_zero
            }
            for file, tensors in self.elements.items()
        }
        return {**self.summary(), "odd": odd}
