"""Which learning rates a pipeline learns at, and at which its loss diverges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from statistics import median

from pipedoctor.fact import Fact

FOUND, INCONCLUSIVE = "found", "inconclusive"

WITHIN, TOO_HIGH, TOO_LOW, HIGH, LOW = "within", "too high", "too low", "high", "low"
"""
What the test shows of the user's own rate.

`TOO_HIGH` and `TOO_LOW` are proved. `HIGH` is a rate between the range that works and where the
loss diverges, `LOW` one below the range that the run may have steps enough for: no faults.
"""


LAST = 5
"""So many losses of a trial tell where it came to."""


@dataclass(frozen=True)
class Point:
    """
    One step of the test.

    `loss` is that of its batch before the update, less what the same batch had before any update,
    plus the mean of these: so that an easy batch is not taken for progress. `smoothed` is its
    running mean.
    """

    rate: float
    loss: float
    smoothed: float


@dataclass(frozen=True)
class Trial:
    """A few updates at one rate, from where all stood: the losses, told as those of points are."""

    rate: float
    losses: tuple[float, ...]
    own: bool = False

    @property
    def end(self) -> float:
        """The middle one of the last losses, whatever one of them jumped to; infinity if any is no number."""
        last = self.losses[-LAST:]
        return median(last) if last and all(map(isfinite, last)) else float("inf")


@dataclass(frozen=True, repr=False, eq=False)
class RangeTest(Fact):
    """
    What came of a training in which the rate rises from step to step, before all was put back.

    `low` to `high` are the rates at which the loss falls, `diverges` is the rate from which on it
    rises, None if it never did. `judged` says what that means for the user's own rate, which is
    `times` too high or too low, at least; None where nothing is proved. `why` says why a test is
    inconclusive; there is no suggestion then.
    """

    doing = "Trying learning rates"

    outcome: str
    optimizer: str
    rate: float
    """The user's own, at its highest; of several groups, the highest."""
    points: tuple[Point, ...] = ()
    start: float | None = None
    """The mean loss of the batches before any update."""
    low: float | None = None
    high: float | None = None
    diverges: float | None = None
    suggestion: float | None = None
    confidence: str = ""
    """How sure the suggestion is: high, medium or low."""
    doubts: tuple[str, ...] = ()
    """What keeps the confidence from being high."""
    judged: str | None = None
    times: float | None = None
    evidence: str = ""
    """What the judgement rests on."""
    trials: tuple[Trial, ...] = ()
    why: str = ""
    advice: str = ""
    batches: int = 0
    """How many different batches were trained on."""
    batch_rows: int = 0
    """How many rows an update sees."""
    planned: int | None = None
    """How many steps the run has."""
    by_name: str = ""
    """The text that compile was given for an optimizer, where nobody stated a rate: "adam"."""
    restored: bool | None = None
    """Whether model, optimizer and random states have the same digest as before."""
    digest: str = ""
    notes: tuple[str, ...] = ()
    cut: str = ""
    """Where the time was too short for all steps: in how many seconds, and what allows more."""

    @property
    def steps(self) -> int:
        """How many steps were made, those of the trials among them."""
        return len(self.points) + sum(len(trial.losses) for trial in self.trials)

    @property
    def works(self) -> bool:
        """Whether there is a range that works, and nothing proved against the user's rate."""
        return self.outcome == FOUND and self.judged not in {TOO_HIGH, TOO_LOW}

    def summary(self) -> Mapping[str, object]:
        """Tell what came of it."""
        told = ("outcome", "rate", "suggestion", "confidence", "low", "high", "diverges")
        return {name: getattr(self, name) for name in (*told, "judged", "times", "steps")}

    def figures(self) -> Mapping[str, object]:
        """Tell all of it."""
        plain = (
            *("outcome", "works", "optimizer", "rate", "by_name", "low", "high", "diverges"),
            *("suggestion", "confidence", "judged", "times", "evidence", "why", "advice"),
            *("batches", "batch_rows", "planned", "steps", "start", "restored", "digest"),
            "cut",
        )
        return {
            **{name: getattr(self, name) for name in plain},
            "doubts": list(self.doubts),
            "points": [
                {"rate": p.rate, "loss": _plain(p.loss), "smoothed": _plain(p.smoothed)}
                for p in self.points
            ],
            "trials": [
                {"rate": t.rate, "own": t.own, "losses": [_plain(loss) for loss in t.losses]}
                for t in self.trials
            ],
            "notes": list(self.notes),
        }


def _plain(loss: float) -> object:
    return loss if isfinite(loss) else str(loss)
