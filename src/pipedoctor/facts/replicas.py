"""Copies of the model that one process makes, one for each GPU."""

from __future__ import annotations

from dataclasses import dataclass

from pipedoctor.fact import Fact


@dataclass(frozen=True, repr=False, eq=False)
class Replicas(Fact):
    """
    Over how many GPUs Trainer spreads each batch with `DataParallel`; 1 where it does not.

    `sure` says that this is the process that trains, and not one that only looks at it: a script
    that is examined may be meant for a launcher.
    """

    gpus: int
    sure: bool
