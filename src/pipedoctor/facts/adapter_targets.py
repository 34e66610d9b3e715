"""The modules that an adapter is put on, by the names that were stated for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import UNKNOWN, Fact
from pipedoctor.finding import NOWHERE, Location


@dataclass(frozen=True, repr=False, eq=False)
class AdapterTargets(Fact):
    """
    How many modules of the model each name of `target_modules` matches.

    `modules` are the last parts of the names of the model's layers that could hold an adapter,
    with their number. `model` is the model's name.
    """

    doing = "Matching the adapter's targets"

    model: str
    matched: Mapping[str, int]
    modules: Mapping[str, int] = UNKNOWN
    where: Location = NOWHERE

    def summary(self) -> Mapping[str, object]:
        """Tell what was matched."""
        return {"matched": dict(self.matched)}
