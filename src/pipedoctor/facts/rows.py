"""How many rows there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import UNKNOWN, Fact
from pipedoctor.finding import NOWHERE, Location


@dataclass(frozen=True, repr=False, eq=False)
class Rows(Fact):
    """
    The number of rows that training (or evaluation) uses; None if the data has no length.

    A limit such as `max_train_samples` is taken into account, and so is a sampler of the user's
    own. `batches` is the number of batches of an epoch where the user's own data loader makes
    them; `absent` says that there is a trainer, and no data in it. `unreadable` names the type of
    data that the usual data loader can't read: neither by index nor as an `IterableDataset`; a
    mapping of several data sets has their names in `splits`.
    """

    doing = "Counting the rows"
    per_split = True

    used: int | None
    where: Location = NOWHERE
    batches: int = UNKNOWN
    absent: bool = False
    unreadable: str | None = None
    splits: tuple[str, ...] = ()
    told: str = ""
    """What the number rests on, where it was not counted: "--rows", and what the file has."""

    def summary(self) -> Mapping[str, object]:
        """Tell the count, and what it rests on if it was not counted."""
        counted: dict[str, object] = {"rows": self.used if self.known("used") else None}
        return counted | ({"told": self.told} if self.told else {})
