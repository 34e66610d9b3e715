"""The machine and the packages on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipedoctor.fact import UNKNOWN, Fact


@dataclass(frozen=True, repr=False, eq=False)
class Environment(Fact):
    """
    Python, the versions of the packages that training rests on, and the machine's figures.

    `versions` holds the installed ones of `pipedoctor.probes.environment.PACKAGES`.
    `gpus` is the number of CUDA devices that a training would see. `former` are versions that
    the run was made for, where those asked about are others.
    """

    python: str
    versions: Mapping[str, str]
    gpus: int = UNKNOWN
    memory: int = UNKNOWN
    """The bytes of memory that all processes may use together: the machine's, or a container's."""
    shared_memory: int = UNKNOWN
    """The bytes that the processes of a data loader can hand over through /dev/shm."""
    former: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    """The variables that checks know (`pipedoctor.probes.environment.VARIABLES`), where they are set."""

    def summary(self) -> Mapping[str, object]:
        """Tell the versions."""
        return {"python": self.python, **self.versions}

    def figures(self) -> Mapping[str, object]:
        """Return the variables that are set, too."""
        return {"python": self.python, "variables": dict(self.variables)}
