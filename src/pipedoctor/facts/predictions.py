"""What the model answers to the rows that are looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import UNKNOWN, Fact


@dataclass(frozen=True, repr=False, eq=False)
class Predictions(Fact):
    """
    The answers to the batches of `Preview`, group by group and row by row, in its order.

    An answer is a mapping with `kind` ("class", "value", "labels", "tokens" or "none") and what
    belongs to it; `loss` stands beside it where it can be told for single rows. `classes` counts
    how often each class was the answer. `spread` is the largest difference between the logits of
    two rows (or tokens with a label), `scale` the largest logit: a spread of nothing means that the answer
    does not depend on the input.
    """

    doing = "Running the model on the rows that are shown"
    per_split = True

    groups: tuple[tuple[Mapping[str, object], ...], ...]
    losses: tuple[float | None, ...] = ()
    """The loss of each group as a whole."""
    answers: int = 0
    """How many rows (or tokens) were answered."""
    unit: str = "row"
    classes: Mapping[str, int] = UNKNOWN
    certainty: float = UNKNOWN
    """The mean probability of what was answered."""
    spread: float = UNKNOWN
    scale: float = UNKNOWN
    untrained: bool = UNKNOWN
    """Whether the head starts from random weights."""

    @property
    def same(self) -> bool:
        """Whether several rows (or tokens) all got the same class."""
        return self.answers > 1 and len(self.classes) == 1

    @property
    def constant(self) -> bool:
        """Whether the logits are the same whatever the input: they differ by rounding at most."""
        return self.answers > 1 and self.spread <= 1e-6 * self.scale

    def summary(self) -> Mapping[str, object]:
        """Tell how much was answered: proof that it ran."""
        return {"answers": self.answers, "unit": self.unit}

    def figures(self) -> Mapping[str, object]:
        """Show the answers, and whether they are all the same."""
        told: dict[str, object] = {
            "groups": [list(group) for group in self.groups],
            "losses": list(self.losses),
            "answers": self.answers,
            "unit": self.unit,
        }
        if self.known("classes"):
            told |= {"classes": dict(self.classes), "same": self.same}
        if self.known("certainty"):
            told["certainty"] = self.certainty
        if self.known("spread"):
            told |= {"spread": self.spread, "scale": self.scale, "constant": self.constant}
        if self.known("untrained"):
            told["untrained"] = self.untrained
        return told
