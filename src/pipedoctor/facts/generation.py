"""How long the texts are that an evaluation generates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import Fact


@dataclass(frozen=True, repr=False, eq=False)
class Generation(Fact):
    """
    The most tokens that the evaluation generates for a row; `limit` is None if none is set.

    `stated` says where the limit stands, such as "generation_max_length"; it is empty where the
    default of transformers holds, since nobody stated one.
    """

    doing = "Looking at how the evaluation generates"

    limit: int | None
    stated: str = ""

    def summary(self) -> Mapping[str, object]:
        """Tell the limit."""
        return {"limit": self.limit, "stated": self.stated}
