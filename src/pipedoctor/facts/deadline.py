"""How far an examination came in its time."""

from __future__ import annotations

from dataclasses import dataclass

from pipedoctor.fact import Fact


@dataclass(frozen=True, repr=False, eq=False)
class Deadline(Fact):
    """
    Whether the examination had to be stopped, and what it was doing then (None: it was not).

    `seconds` is the time that it was allowed for probing. `unseen` are the stages of which checks
    were not reached, `checks` how many these are.
    """

    seconds: float
    stopped_while: str | None = None
    unseen: tuple[str, ...] = ()
    checks: int = 0
