"""How many rows there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import Fact
from pipedoctor.finding import NOWHERE, Location


@dataclass(frozen=True, repr=False, eq=False)
class Rows(Fact):
    """
    The number of rows that training (or evaluation) uses; None if the data has no length.

    A limit such as `max_train_samples` is taken into account.
    """

    doing = "Counting the rows"
    per_split = True

    used: int | None
    where: Location = NOWHERE

    def summary(self) -> Mapping[str, object]:
        """Tell the count."""
        return {"rows": self.used}
