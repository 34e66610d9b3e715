"""Whether texts that are packed into one row can see each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import Fact


@dataclass(frozen=True, repr=False, eq=False)
class Packing(Fact):
    """
    A row of several texts, run twice: as it is, and with other tokens in its first text.

    `change` is the largest change of the logits over the later texts, `scale` the largest of
    those logits; a text that can't see the others has a change of about 0. `attention` is the
    implementation that the model's config asks for.
    """

    doing = "Running a packed row with its first text changed"

    texts: int
    change: float
    scale: float
    attention: str = ""

    @property
    def leaks(self) -> bool:
        """Whether the later texts see the first: beyond what rounding does (float16: 1e-3)."""
        return self.change > 0.01 * max(self.scale, 1e-6)

    def summary(self) -> Mapping[str, object]:
        """Tell the change."""
        return {"texts": self.texts, "change": self.change}
