"""Whether a pipeline can learn one batch by heart, and why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite

from pipedoctor.fact import UNKNOWN, Fact

LEARNS = "learns"
SLOWLY = "learns too slowly at your rate"
CANNOT = "cannot learn"
INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Curve:
    """
    The losses of one attempt: before any update, after one, and so on.

    `own` says whether it was made with the user's own optimizer and rate. `goal` is the loss at
    which the batch counts as learned; `reached` says whether it was, twice in a row.
    """

    optimizer: str
    rate: float
    losses: tuple[float, ...]
    own: bool = False
    goal: float | None = None
    reached: bool = False
    diverged: bool = False

    @property
    def updates(self) -> int:
        """How many updates were made."""
        return max(0, len(self.losses) - 1)

    def figures(self) -> dict[str, object]:
        """Return all of it, plain enough for JSON."""
        return {
            "optimizer": self.optimizer,
            "rate": self.rate,
            "own": self.own,
            "losses": [loss if isfinite(loss) else str(loss) for loss in self.losses],
            "goal": self.goal,
            "reached": self.reached,
            "diverged": self.diverged,
        }


@dataclass(frozen=True)
class Reason:
    """
    One thing that keeps the batch from being learned; `kind` names it, `code` the check that knows.

    `message` and `remedy` are sentences without the final full stop.
    """

    kind: str
    message: str
    remedy: str
    code: str = ""
    layer: str | None = None
    evidence: Mapping[str, object] = field(default_factory=dict)

    def figures(self) -> dict[str, object]:
        """Return all of it, plain enough for JSON."""
        return {
            "kind": self.kind,
            "message": self.message,
            "remedy": self.remedy,
            "code": self.code,
            "layer": self.layer,
            "evidence": dict(self.evidence),
        }


@dataclass(frozen=True, repr=False, eq=False)
class Overfit(Fact):
    """
    What came of training on one real batch, over and over, before all was put back.

    `floor` is the loss that the batch can't be brought below, made of the `parts` that add up to
    it; `chance` that of the best answer that is the same for every row, None where nobody can
    tell. `needed` is about how many steps it takes at the user's own rate, `planned` how many full
    steps the run has (those of a warm-up count in part).
    """

    doing = "Training on one batch"

    verdict: str
    curves: tuple[Curve, ...]
    rows: tuple[int, ...]
    reasons: tuple[Reason, ...] = ()
    floor: float = 0.0
    parts: Mapping[str, float] = field(default_factory=dict)
    chance: float | None = None
    ignored: float = 0.0
    """The share of the labels that are -100, which no loss counts."""
    classes: tuple[int, int] | None = None
    """How many distinct labels the batch holds, and how many the data has; None: no classes."""
    control: float | None = None
    """The loss of the learned weights where each row has the labels of another one."""
    needed: float | None = None
    planned: float | None = None
    restored: bool = UNKNOWN
    """Whether model, optimizer and random states have the same digest as before."""
    digest: str = ""
    notes: tuple[str, ...] = ()
    cut: str = ""
    """Where the time was too short for a verdict: in how many seconds, and what allows more."""

    @property
    def learns(self) -> bool:
        """Whether all is well."""
        return self.verdict == LEARNS

    @property
    def bounded(self) -> bool:
        """Whether it is known how low the loss can get: not that of a loss that nobody knows."""
        return self.chance is not None or bool(self.parts)

    @property
    def own(self) -> Curve | None:
        """The attempt with the user's own optimizer and rate."""
        return next((curve for curve in self.curves if curve.own), None)

    @property
    def steps(self) -> int:
        """How many updates were made in all attempts together."""
        return sum(curve.updates for curve in self.curves)

    def summary(self) -> Mapping[str, object]:
        """Tell what was gone through: proof that it ran."""
        return {"verdict": self.verdict, "steps": self.steps, "rows": len(self.rows)}

    def figures(self) -> Mapping[str, object]:
        """Tell all of it."""
        return {
            "verdict": self.verdict,
            "learns": self.learns,
            "steps": self.steps,
            "rows": list(self.rows),
            "curves": [curve.figures() for curve in self.curves],
            "reasons": [reason.figures() for reason in self.reasons],
            "floor": self.floor if self.bounded else None,
            "floor_parts": dict(self.parts),
            "chance": self.chance,
            "ignored": self.ignored,
            "classes": None if self.classes is None else list(self.classes),
            "control": self.control,
            "needed": self.needed,
            "planned": self.planned,
            "restored": self.restored if self.known("restored") else None,
            "digest": self.digest,
            "notes": list(self.notes),
            "cut": self.cut,
        }
