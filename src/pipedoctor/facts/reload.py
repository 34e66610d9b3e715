"""Whether the whole model, as the run saves it, can be written and loaded again: it was tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import Fact
from pipedoctor.finding import NOWHERE, Location


@dataclass(frozen=True, repr=False, eq=False)
class Reload(Fact):
    """
    What came of saving the model into a temporary folder, and of loading it from there.

    `saver` is the callback that saves the whole model, "" where the script does it itself; `file`
    is the name that it gives. `own` are the names of the user's classes and functions in the model,
    `unknown` those of them that Keras does not find by itself. `writing` and `loading` are what
    Keras raised, "" for nothing; `told` is what it raised when it was handed all of `own`, None
    where that was not tried. `lambdas` says that a Lambda layer holds a lambda. Of `weights`
    arrays, `differing` were not what had been saved.
    """

    doing = "Saving the model into a temporary folder, and loading it again"

    file: str
    saver: str = ""
    own: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    writing: str = ""
    loading: str = ""
    told: str | None = None
    lambdas: bool = False
    weights: int = 0
    differing: int = 0
    where: Location = NOWHERE

    def summary(self) -> Mapping[str, object]:
        """Tell what was tried, and how it ended."""
        return {
            "file": self.file,
            "saver": self.saver,
            "own": list(self.own),
            "written": not self.writing,
            "loaded": not self.writing and not self.loading,
        }
