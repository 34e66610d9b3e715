"""Weights of several types, and whether the model can be run with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import Fact


@dataclass(frozen=True, repr=False, eq=False)
class MixedTypes(Fact):
    """
    The types of a model's weights, and what it raised where two of them met.

    `counts` are the numbers of parameters of each type, "float32" for instance. `module` is the
    innermost that raised, and `own` are the types of its weights. `cast` says that the run has mixed precision, which brings most
    values to one type where they meet.
    """

    doing = "Running the model on weights of several types"

    counts: Mapping[str, int]
    raised: str = ""
    module: str = ""
    own: tuple[str, ...] = ()
    cast: bool = False

    def summary(self) -> Mapping[str, object]:
        """Tell the types."""
        return {"types": dict(self.counts), "raised": bool(self.raised)}
