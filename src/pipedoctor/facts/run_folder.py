"""The folder that a training wrote to: all the checkpoints that it left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import UNKNOWN, Fact
from pipedoctor.facts.checkpoint import Checkpoint


@dataclass(frozen=True)
class Saved:
    """
    One `checkpoint-N` of a run, `step` being its N.

    `broken` says why a training can't go on from it, "" where it can, and `faulty` are the files
    that are missing or damaged. `best` is what its run called the best. `odd` says that all can be
    read, and that the optimizer is of other weights.
    """

    step: int
    name: str
    checkpoint: Checkpoint
    broken: str = ""
    best: bool = False
    faulty: frozenset[str] = frozenset()
    odd: str = ""


@dataclass(frozen=True, repr=False, eq=False)
class RunFolder(Fact):
    """
    The checkpoints in a folder, by their step.

    `leftovers` are what an interrupted save left under other names; `taken` is the name of the
    checkpoint that `resume_from_checkpoint=True` takes, None where there is none.
    """

    doing = "Reading the checkpoints of the run"

    path: str
    saved: tuple[Saved, ...]
    leftovers: tuple[str, ...] = ()
    taken: str | None = UNKNOWN

    @property
    def whole(self) -> Saved | None:
        """The newest checkpoint that a training can go on from."""
        return next((s for s in reversed(self.saved) if not s.broken and not s.odd), None)

    def figures(self) -> Mapping[str, object]:
        """Return what `pipedoctor checkpoint` shows of a run."""
        return {
            "path": self.path,
            "saved": [
                {
                    "name": one.name,
                    "step": one.step,
                    "bytes": one.checkpoint.size,
                    "broken": one.broken or one.odd,
                    "best": one.best,
                }
                for one in self.saved
            ],
            "leftovers": list(self.leftovers),
            "taken": self.taken if self.known("taken") else None,
        }

    def summary(self) -> Mapping[str, object]:
        """Tell how many there are."""
        return {"path": self.path, "checkpoints": len(self.saved)}
