"""Whether a training could go on from a checkpoint that is looked at by itself."""

from __future__ import annotations

import os
from dataclasses import dataclass

from pipedoctor.fact import Fact
from pipedoctor.facts.checkpoint import Checkpoint
from pipedoctor.facts.restored import Restored
from pipedoctor.facts.run_folder import Saved


@dataclass(frozen=True, repr=False, eq=False)
class Resumable(Fact):
    """
    The checkpoint that a training would take, if one went on from the folder that was named.

    `whole` is the newest beside it that a training can go on from, "" where there is none.
    `names` are those of its files; `sharded` as of `Restored`.
    `restored` is what a training puts back, where one is at hand that resumes.
    """

    doing = "Reading the checkpoint to resume from"

    saved: Saved
    names: frozenset[str]
    sharded: bool = False
    whole: str = ""
    restored: Restored | None = None
    told: bool = False
    """Whether it is told of this fact that no training can go on from it."""

    def tells_of(self, checkpoint: Checkpoint, name: str) -> bool:
        """Whether what is wrong with a file is told as what keeps a training from going on."""
        one = self.saved
        same = os.path.normpath(one.checkpoint.path) == os.path.normpath(checkpoint.path)
        return same and self.told and name in one.faulty
