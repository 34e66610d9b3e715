"""
What a step takes and which batch fits, found by running steps.

A trial that runs out of memory is an answer and no failure: what it left behind is given back
before the next. Each trial says how many batches it ran, so that one which ended early can't pass
for one that fits.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass

from pipedoctor.probes.gpu.interface import Live, Peak

STEPS = 3
"""So many steps of the optimizer: its states come with the first, and pieces after the second."""

TRIALS = 12
"""So many batches are tried at most: the doubling to 64 rows, and five halvings after that."""

Step = Callable[[int], None]
"""Runs one step of the optimizer on a batch of so many rows."""


@dataclass(frozen=True)
class Trial:
    """A batch that was tried: how many steps it ran, and whether all of them were done."""

    rows: int
    ran: int
    wanted: int
    peak: Peak | None = None
    """None where nothing was left."""

    @property
    def fits(self) -> bool:
        """Whether every step was run."""
        return self.peak is not None and self.ran == self.wanted


@dataclass(frozen=True)
class Search:
    """The largest batch that was run, and all that were tried; `certain`: one row more failed."""

    largest: int
    trials: tuple[Trial, ...]
    certain: bool


def attempt(live: Live, step: Step, rows: int, steps: int = STEPS) -> Trial:
    """Run some steps on a batch of so many rows."""
    ran = 0
    live.clean()
    live.reset()
    try:
        for _ in range(steps):
            step(rows)
            ran += 1
        trial = Trial(rows, ran, steps, live.peak())
    except Exception as error:
        if not live.ran_out(error):
            raise
        trial = Trial(rows, ran, steps)
    # The exception is gone here, and with it the frames whose tensors it kept.
    gc.collect()
    live.clean()
    return trial


def largest(  # noqa: PLR0913 - the bounds of a search, each with a default
    live: Live,
    step: Step,
    first: int,
    *,
    most: int | None = None,
    steps: int = STEPS,
    trials: int = TRIALS,
    room: int | None = None,
) -> Search:
    """
    Return the largest batch that runs, from `first` rows on, of at most `most`.

    The batch is doubled or halved until one fits and one does not, and then searched between
    them, for as many trials as are allowed. `room` is what may be reserved, where that is less
    than the device has.
    """
    made: list[Trial] = []

    def fits(rows: int) -> bool:
        trial = attempt(live, step, rows, steps)
        if trial.peak is not None and room is not None and trial.peak.reserved > room:
            trial = Trial(rows, trial.ran, steps)
        made.append(trial)
        return trial.fits

    low, high = 0, None if most is None else most + 1
    rows = max(1, first if most is None else min(first, most))
    while len(made) < trials and (high is None or high - low > 1):
        if fits(rows):
            low = rows
            rows = 2 * rows if high is None else (low + high) // 2
            if high is None and most is not None:
                rows = min(rows, most)
        else:
            high = rows
            rows = (low + high) // 2
        if rows in {0, low}:
            break
    return Search(low, tuple(made), certain=high is not None and high - low == 1)
