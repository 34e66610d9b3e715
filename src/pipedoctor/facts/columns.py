"""The columns of the data, and which of them reach the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import UNKNOWN, Fact
from pipedoctor.finding import NOWHERE, Location


@dataclass(frozen=True, repr=False, eq=False)
class Columns(Fact):
    """
    The columns of the data that the trainer gets.

    `types` maps each name to its type in the words of Arrow ("int64", "string", "list<int64>").
    `accepted` are the names that the model's forward takes, labels included; `filtered` says
    whether Trainer drops the other columns (`remove_unused_columns`).
    """

    per_split = True

    types: Mapping[str, str]
    accepted: tuple[str, ...] = UNKNOWN
    filtered: bool = UNKNOWN
    where: Location = NOWHERE

    @property
    def kept(self) -> tuple[str, ...]:
        """The columns that are left after the filter."""
        if not self.filtered:
            return tuple(self.types)
        return tuple(name for name in self.types if name in self.accepted)

    @property
    def dropped(self) -> tuple[str, ...]:
        """The columns that the filter takes away."""
        return tuple(name for name in self.types if name not in self.kept)

    def summary(self) -> Mapping[str, object]:
        """Tell the names."""
        return {"columns": list(self.types)}
