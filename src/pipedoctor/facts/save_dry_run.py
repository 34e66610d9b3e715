"""What saving the model gives, tried before there is anything to lose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import Fact


@dataclass(frozen=True, repr=False, eq=False)
class SaveDryRun(Fact):
    """The files that saving wrote into a temporary folder, with their sizes in bytes."""

    doing = "Saving the model into a temporary folder"

    files: Mapping[str, int]

    def summary(self) -> Mapping[str, object]:
        """Tell how much was written: proof that it ran."""
        return {"files": len(self.files), "bytes": sum(self.files.values())}
