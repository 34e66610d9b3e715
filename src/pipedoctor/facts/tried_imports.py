"""What came of importing optional packages, each in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from pipedoctor.fact import Fact


@dataclass(frozen=True)
class Tried:
    """
    One import: whether it worked, in how many seconds, else the error it ended with.

    `late` says that it was stopped after its time; that is no failure. `cuda` is false where the
    package works, but without the CUDA that it is there for; None where it was not asked.
    """

    works: bool
    seconds: float
    error: str = ""
    late: bool = False
    cuda: bool | None = None


@dataclass(frozen=True, repr=False, eq=False)
class TriedImports(Fact):
    """The installed ones of the packages that other libraries import if they find them."""

    doing = "Importing optional packages"

    of: Mapping[str, Tried]

    def figures(self) -> Mapping[str, object]:
        """Return all."""
        return {"of": {name: asdict(tried) for name, tried in self.of.items()}}
