"""Whether a training could go on from a checkpoint that is looked at by itself."""

from __future__ import annotations

import os
from dataclasses import dataclass

from pipedoctor.checkpoints.contents import Verdict
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

    @property
    def told(self) -> bool:
        """
        Whether it is told here that no training can go on from it.

        Of a checkpoint by itself whose weights can't be read, with no other to point at, what is
        wrong with them says that already; so does a file that runs code.
        """
        one = self.saved
        if not one.broken:
            return False
        if self.restored is not None or self.whole:
            return True
        held = one.checkpoint
        there = {file.name: file for file in held.files}
        weights = {file.name for file in held.weights} & set(there)
        unsafe = {n for n, file in there.items() if file.contents.verdict is Verdict.UNSAFE}
        return bool(one.faulty - weights - unsafe)

    def tells_of(self, checkpoint: Checkpoint, name: str) -> bool:
        """Whether what is wrong with a file is told as what keeps a training from going on."""
        one = self.saved
        same = os.path.normpath(one.checkpoint.path) == os.path.normpath(checkpoint.path)
        return same and self.told and name in one.faulty
