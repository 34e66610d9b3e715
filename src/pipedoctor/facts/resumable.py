"""Whether a training could go on from a checkpoint that is looked at by itself."""

from __future__ import annotations

from dataclasses import dataclass

from pipedoctor.fact import Fact
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
