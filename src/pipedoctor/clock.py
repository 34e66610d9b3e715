"""
The time that a measurement has: when to end with what it has, and what is said of it then.

A process that is stopped from outside tells nothing of what it was doing. So whatever goes step by
step looks at a clock between two steps, and ends before that.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

SHARE = 0.8
"""The share of what is left that may be spent: putting all back, and telling it, take time too."""

RESERVE = 4
"""What comes after the last step takes about as long as so many of the longest."""

BETWEEN = 10
"""What is looked at between two rows takes about as long as so many steps, with what comes last."""

NEARLY = 0.95
"""Who has spent this share of a limit is said to have spent it."""

LEAST = 120
"""The limit where nobody states one (`options.SECONDS`); less is not worth being advised."""


@dataclass
class Clock:
    """
    Says between steps whether to end.

    `soft` is the moment from which on no step is begun, `hard` the one at which the process is
    stopped, `limit` the seconds that there were in all.
    """

    soft: float = inf
    hard: float = inf
    limit: float | None = None
    _last: float = field(default=inf, repr=False)
    _longest: float = field(default=0.0, repr=False)

    @classmethod
    def of(cls, run: Mapping[str, Any] | None, share: float = SHARE) -> Clock:
        """Return the clock of a run, which has no end where the run has no time limit."""
        told = run or {}
        limit = told.get("time_limit")
        if not limit:
            return cls()
        now = time.monotonic()
        hard = told.get("until", now + limit)
        return cls(now + share * max(0.0, hard - now), hard, limit)

    def start(self) -> None:
        """Begin a row of steps: what lies between two rows is no step."""
        self._last = time.monotonic()

    def over(self) -> bool:
        """Whether to end: the time is spent, or what follows the next step would not fit in."""
        now = time.monotonic()
        self._longest = max(self._longest, now - self._last)
        self._last = now
        return now > self.soft or now + RESERVE * self._longest > self.hard

    def fits(self) -> bool:
        """Whether there is time for what comes between two rows of steps, and for a step."""
        return time.monotonic() + BETWEEN * self._longest <= self.hard

    @property
    def left(self) -> float:
        """The seconds that may still be spent."""
        return self.soft - time.monotonic()

    def told(self) -> str:
        """Return what is said where the time was not enough."""
        limit = self.limit or 0.0
        spent = max(0.0, limit - max(0.0, self.hard - time.monotonic()))
        return ran_out(limit, min(spent, limit))


def ran_out(limit: float, spent: float | None = None) -> str:
    """Return the words for a limit that was reached, or for what of it was left too short."""
    text = (
        f"{limit:g} s"
        if spent is None or spent > NEARLY * limit
        else f"{spent:.0f} of {limit:g} s"
    )
    return f"time ran out after {text}; {more(limit)} allows more"


def more(limit: float) -> str:
    """Return the option that allows twice as much."""
    return f"--time {max(LEAST, 2 * limit):g}"
