"""
Whether answers to rows that were not trained on go with the labels of these rows; no framework.

The labels are permuted among the rows, a thousand times. Where they have nothing to do with the
inputs, every order of them is as good as the one that the data has, whatever answered and however
it was trained: the share of orders that fit as well is an exact p-value. No training is repeated
for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

ORDERS = 5000
"""So many orders of the labels are tried: the least p-value is 1 of 5001."""

SPREADS = 8
"""Answers further from their mean than this many spreads are drawn in: one row is no proof."""


@dataclass(frozen=True)
class Fit:
    """
    How well answers go with labels.

    `p` is the share of orders of the labels that fit as well or better, `z` how many standard
    errors of them the true order is above their mean.
    """

    p: float
    z: float


def standing(answers: Any, labels: Any) -> float:
    """
    Return how many standard errors the fit lies above the mean of all orders of the labels.

    Answers and labels have a row for each row each. The mean of all orders is 0, and their variance
    is known as well, so that none of them has to be tried.
    """
    one, other = centred(answers), centred(labels, bounded=False)
    return float((one * other).sum()) / _spread(one, other) if len(other) > 1 else 0.0


def fit(answers: Any, labels: Any, seed: int = 0) -> Fit:
    """Return how well answers go with labels."""
    import numpy as np

    one, other = centred(answers), centred(labels, bounded=False)
    size = len(other)
    if size < 2 or not one.any() or not other.any():
        return Fit(1.0, 0.0)
    random = np.random.default_rng(seed)
    # Entry (i, j): how well the answer to row i goes with the label of row j.
    pairs, places = one @ other.T, np.arange(size)
    real = float(pairs[places, places].sum())
    orders = [float(pairs[places, random.permutation(size)].sum()) for _ in range(ORDERS)]
    as_good = sum(order >= real * (1 - 1e-12) for order in orders)
    return Fit((as_good + 1) / (ORDERS + 1), real / _spread(one, other))


def together(fits: Sequence[Fit]) -> Fit:
    """
    Return what several looks at the same rows amount to, however much they hang together.

    Each of two halves is asked for what the other one taught: to a linear model both are the same
    comparison, read twice. So the least p-value counts by how many there are, and the mean of z.
    """
    if not fits:
        return Fit(1.0, 0.0)
    return Fit(
        min(1.0, len(fits) * min(one.p for one in fits)), sum(one.z for one in fits) / len(fits)
    )


def _spread(answers: Any, labels: Any) -> float:
    """Return the standard deviation of the fit over all orders of the labels."""
    variance = float(((answers.T @ answers) * (labels.T @ labels)).sum()) / (len(labels) - 1)
    return sqrt(max(variance, 1e-24))


def centred(values: Any, *, bounded: bool = True) -> Any:
    """Return rows of numbers around their mean, in units of the widest column's spread."""
    import numpy as np

    rows = np.asarray(values, dtype="float64").reshape(len(values), -1)
    rows = np.nan_to_num(rows, nan=0.0, posinf=0.0, neginf=0.0)
    middle = np.median(rows, axis=0) if bounded else rows.mean(0)
    spread = float(np.abs(rows - middle).mean(0).max()) or 1.0
    if bounded:
        rows = np.clip(rows, middle - SPREADS * spread, middle + SPREADS * spread)
    return (rows - rows.mean(0)) / spread


def one_hot(labels: Any, classes: Any) -> Any:
    """Return a column for each class."""
    import numpy as np

    return (np.asarray(labels)[:, None] == np.asarray(list(classes))[None, :]).astype("float64")


def chances(logits: Any) -> Any:
    """Return the softmax of logits."""
    import numpy as np

    raised = np.exp(logits - np.max(logits, axis=1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)
