"""The comments in the user's files that ask for findings to be ignored."""

from __future__ import annotations

from dataclasses import dataclass

from pipedoctor.fact import Fact
from pipedoctor.finding import NOWHERE, Location


@dataclass(frozen=True)
class UselessComment:
    """
    A comment that ignores less than it says.

    `codes` are all that it names, `unused` those that found nothing there though they could have,
    `unknown` those of no check. One that names no code at all has three empty ones.
    """

    codes: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    where: Location = NOWHERE
    whole_file: bool = False


@dataclass(frozen=True, repr=False, eq=False)
class IgnoreComments(Fact):
    """Those comments of the target's own file that are of no use; known once all checks ran."""

    doing = "Comparing the ignore comments with what was found"

    useless: tuple[UselessComment, ...]
