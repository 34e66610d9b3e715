"""How well answers tell labels, in figures that people know; no framework."""

from __future__ import annotations

from math import sqrt
from typing import Any

from pipedoctor.facts.learnability import CLASSES, NUMBERS, Score
from pipedoctor.frameworks.learnability.association import Fit


def score(name: str, answers: Any, labels: Any, kind: str, fit: Fit) -> Score:
    """Return how well answers tell labels, both with a row for each row."""
    hits = each(answers, labels, kind)
    value = float(hits.mean())
    if kind == NUMBERS:
        error = (1 - value * value) / sqrt(max(1, len(hits) - 1))
    else:
        error = float(hits.std()) / sqrt(len(hits))
    return Score(name, value, error, fit.p, fit.z)


def each(answers: Any, labels: Any, kind: str) -> Any:
    """
    Return for each row whether it was told rightly, or its part in the correlation with numbers.

    Of several labels to a row it is the share that is right.
    """
    import numpy as np

    if kind == CLASSES:
        return (answers.argmax(1) == labels.argmax(1)).astype("float64")
    if kind == NUMBERS:
        one, other = (_standard(a) for a in (answers, labels))
        return (one * other).mean(1)
    return ((np.asarray(answers) > 0.5) == (np.asarray(labels) > 0.5)).mean(1)


def constant(labels: Any, kind: str) -> float:
    """Return what the best constant answer would get."""
    if kind == CLASSES:
        return float(labels.mean(0).max())
    if kind == NUMBERS:
        return 0.0
    return float((abs(labels.mean(0) - 0.5) + 0.5).mean())


def above_chance(answers: Any, labels: Any, kind: str) -> float:
    """Return how much of what the best constant answer gets wrong is right: 1 is all."""
    base = constant(labels, kind)
    value = float(each(answers, labels, kind).mean())
    return (value - base) / (1 - base) if base < 1 else 0.0


def _standard(rows: Any) -> Any:
    spread = rows.std(0)
    return (rows - rows.mean(0)) / (spread + (spread == 0))


def smallest(rows: int, chance: float, kind: str) -> float:
    """Return about what had to be told of so many rows to be noticed nearly for sure."""
    far = 4.5 / sqrt(max(1, rows))
    if kind == NUMBERS:
        return min(1.0, far)
    return min(1.0, chance + far * sqrt(chance * (1 - chance)))
