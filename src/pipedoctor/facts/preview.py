"""What really enters the model, row by row, for people to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipedoctor.fact import Fact


@dataclass(frozen=True, repr=False, eq=False)
class Preview(Fact):
    """
    The batches that are looked at, as plain records; for people, not for checks.

    `groups` are the first batch and the longest rows, each with its arrays and its rows. Where no
    batch can be made, they hold the rows of the data as they are, and `note` says why. `remarks`
    are what strikes in them: numbers, no judgements. `labels` is the distribution in the whole
    split, `counted` the number of rows in it, where these are known.
    """

    doing = "Reading what enters the model"
    per_split = True

    groups: tuple[Mapping[str, object], ...]
    remarks: tuple[Mapping[str, object], ...] = ()
    labels: Mapping[str, object] = field(default_factory=dict)
    counted: int | None = None
    note: str = ""

    def summary(self) -> Mapping[str, object]:
        """Tell how many batches were looked at."""
        return {"groups": len(self.groups)}

    def figures(self) -> Mapping[str, object]:
        """Show everything."""
        return {
            "rows": self.counted,
            "labels": dict(self.labels),
            "groups": list(self.groups),
            "remarks": list(self.remarks),
            "note": self.note,
        }
