"""What a trial and its baselines amount to; no framework."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipedoctor.facts.learnability import (
    INCONCLUSIVE,
    RELATED,
    UNRELATED,
)
from pipedoctor.frameworks.learnability.association import Fit
from pipedoctor.frameworks.learnability.baselines import Told

FEWEST = 200
"""With fewer rows nothing is said of labels that can't be told."""

FEWEST_OF_A_CLASS = 20
"""The second class needs so many rows for that too."""

PROOF = 0.001
"""A share of orders that is smaller is proof that the labels go with the inputs."""

HINT = 0.25
"""Where fewer orders than this fit as well, something may be there."""

HIGH = 0.7
"""The same for the standard errors of both halves together, of which a fourth lies above."""

EASIER = 0.25
"""
Losses lower by more than this share than with shuffled labels may be no accident.

Of about a hundred pipelines with unrelated labels one lay above it.
"""


@dataclass(frozen=True)
class Judged:
    """The verdict, and why nothing is concluded."""

    verdict: str
    reason: str = ""


@dataclass(frozen=True)
class Known:
    """
    How much was tried.

    `second` is the number of rows of the second most frequent class, None where there are none.
    """

    rows: int
    second: int | None
    fitted: bool
    late: bool


def judge(model: Fit, baseline: Told | None, known: Known, *, easier: float) -> Judged:
    """Return the verdict; `easier` is by how much lower losses were than with shuffled labels."""
    if model.p <= PROOF or (baseline is not None and baseline.p <= PROOF * 5 and baseline.z > 4):
        return Judged(RELATED)
    if known.late:
        return Judged(INCONCLUSIVE, "there was too little time; --time extends it")
    if known.rows < FEWEST:
        return Judged(
            INCONCLUSIVE, f"{known.rows} different rows are too few; {FEWEST} are needed"
        )
    if known.second is not None and known.second < FEWEST_OF_A_CLASS:
        return Judged(
            INCONCLUSIVE,
            f"the second class has {known.second} of these rows; {FEWEST_OF_A_CLASS} are needed",
        )
    if not known.fitted:
        return Judged(INCONCLUSIVE, "the updates were too few to learn even the rows by heart")
    if baseline is None:
        return Judged(INCONCLUSIVE, "no baseline can read these inputs")
    if model.z > HIGH or baseline.p < HINT:
        return Judged(INCONCLUSIVE, "there is a hint of a relation, too weak to be sure")
    if easier > EASIER:
        return Judged(INCONCLUSIVE, "the labels are learned faster than others in their place")
    return Judged(UNRELATED)


def faster(own: Sequence[float], other: Sequence[float]) -> float:
    """Return by what share the losses of the data's own labels were lower, over all passes."""
    pairs = list(zip(own, other, strict=False))
    if not pairs:
        return 0.0
    return 1 - sum(a for a, _ in pairs) / max(sum(b for _, b in pairs), 1e-12)
