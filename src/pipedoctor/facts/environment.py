"""The machine and the packages on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import UNKNOWN, Fact


@dataclass(frozen=True, repr=False, eq=False)
class Environment(Fact):
    """
    Python, the versions of the packages that training rests on, and the machine's figures.

    `versions` holds the installed ones of `pipedoctor.probes.environment.PACKAGES`.
    `gpus` is the number of CUDA devices that a training would see.
    """

    python: str
    versions: Mapping[str, str]
    gpus: int = UNKNOWN

    def summary(self) -> Mapping[str, object]:
        """Tell the versions."""
        return {"python": self.python, **self.versions}
