"""Whether what is learned of some rows holds for other rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import UNKNOWN, Fact

RELATED = "the labels go with the inputs"
UNRELATED = "nothing relates the labels to the inputs"
INCONCLUSIVE = "inconclusive"

CLASSES, NUMBERS, SEVERAL = "classes", "numbers", "several labels"


@dataclass(frozen=True)
class Score:
    """
    How well rows that were not learned from were answered, and how sure that is.

    `value` is the share that was told rightly, or the correlation with the numbers; `error` its
    standard error; `p` the share of orders of the labels that fit the answers as well, `z` how many
    standard errors the true order lies above their mean.
    """

    name: str
    value: float
    error: float
    p: float
    z: float

    def figures(self) -> dict[str, object]:
        """Return all of it, plain enough for JSON."""
        return {
            "name": self.name,
            "value": self.value,
            "error": self.error,
            "p": self.p,
            "z": self.z,
        }


@dataclass(frozen=True, repr=False, eq=False)
class Learnability(Fact):
    """
    What came of training on one half of some rows and asking for the other, before all was put back.

    `model` tells the rows that it did not learn from, and so does `baseline`, which needs no
    network; `chance` is what the best constant answer gets. `difference` is by how much the model
    is better than the baseline on the same rows, learned from the same ones, `noise` the standard
    error of that. `losses` are the mean losses of the passes over the learned rows, `shuffled` those
    of the same rows with labels in another order, where that was tried. `fitted` says whether the
    learned rows were known by heart in the end.
    """

    doing = "Training on some rows, and asking for others"

    verdict: str
    kind: str
    rows: int
    model: Score
    chance: float
    baseline: Score | None = None
    difference: float | None = None
    noise: float | None = None
    losses: tuple[float, ...] = ()
    shuffled: tuple[float, ...] = ()
    classes: int | None = None
    """How many classes these rows hold; None where there are none."""
    fitted: bool = False
    optimizer: str = ""
    rate: float = 0.0
    own: bool = False
    """Whether it is the user's own optimizer and rate."""
    updates: int = 0
    seen: int = 0
    """How many rows the baseline saw in the end, where the first ones showed nothing."""
    reason: str = ""
    """Why nothing is concluded."""
    smallest: float | None = None
    """What a model would have had to get for it to be noticed."""
    restored: bool = UNKNOWN
    """Whether model, optimizer and random states have the same digest as before."""
    digest: str = ""
    notes: tuple[str, ...] = ()

    @property
    def worse(self) -> bool:
        """Whether the baseline tells more of new rows than the model, beyond the noise."""
        if self.baseline is None or self.difference is None or self.noise is None:
            return False
        return self.difference < -3 * self.noise and self.baseline.z > 0

    def summary(self) -> Mapping[str, object]:
        """Tell what was gone through: proof that it ran."""
        return {"verdict": self.verdict, "rows": self.rows, "updates": self.updates}

    def figures(self) -> Mapping[str, object]:
        """Tell all of it."""
        return {
            "verdict": self.verdict,
            "kind": self.kind,
            "rows": self.rows,
            "model": self.model.figures(),
            "baseline": self.baseline.figures() if self.baseline is not None else None,
            "chance": self.chance,
            "difference": self.difference,
            "noise": self.noise,
            "worse": self.worse,
            "losses": list(self.losses),
            "shuffled": list(self.shuffled),
            "classes": self.classes,
            "fitted": self.fitted,
            "optimizer": self.optimizer,
            "rate": self.rate,
            "own": self.own,
            "updates": self.updates,
            "seen": self.seen,
            "reason": self.reason,
            "smallest": self.smallest,
            "restored": self.restored if self.known("restored") else None,
            "digest": self.digest,
        }
