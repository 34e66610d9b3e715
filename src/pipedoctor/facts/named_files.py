"""The files and folders that a run reads, and whether they are there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import Fact


@dataclass(frozen=True, repr=False, eq=False)
class NamedFiles(Fact):
    """
    What the arguments name, by the name of the argument.

    Only what must be local is looked for: a name that may be one of the hub, an address or a
    pattern is in neither list. `folder` is the working directory that relative paths start from.
    """

    present: Mapping[str, str]
    missing: Mapping[str, str]
    folder: str

    def summary(self) -> Mapping[str, object]:
        """Tell how many were looked for."""
        return {"present": len(self.present), "missing": len(self.missing)}
