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
from typing import Any

ORDERS = 2000
"""So many orders of the labels are tried: the least p-value is 1 of 2001."""

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


@dataclass(frozen=True)
class Group:
    """Answers that were given by the same weights, and labels, both with a row for each row."""

    answers: Any
    labels: Any


def fit(groups: Sequence[Group], seed: int = 0) -> Fit:
    """Return how well answers go with labels, within each group, over all groups."""
    import numpy as np

    random = np.random.default_rng(seed)
    real, orders, variance = 0.0, np.zeros(ORDERS), 0.0
    for group in groups:
        answers, labels = centred(group.answers), centred(group.labels, bounded=False)
        size = len(labels)
        if size < 2:
            continue
        real += float((answers * labels).sum())
        # Of all orders of the labels the mean is 0, and this is the variance.
        variance += float(((answers.T @ answers) * (labels.T @ labels)).sum()) / (size - 1)
        # Entry (i, j): how well the answer to row i goes with the label of row j.
        pairs = answers @ labels.T
        places = np.arange(size)
        orders += [float(pairs[places, random.permutation(size)].sum()) for _ in range(ORDERS)]
    if variance <= 0:
        return Fit(1.0, 0.0)
    as_good = int((orders >= real * (1 - 1e-12)).sum())
    return Fit((as_good + 1) / (ORDERS + 1), real / variance**0.5)


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


def one_hot(labels: Any, classes: Sequence[int]) -> Any:
    """Return a column for each class."""
    import numpy as np

    return (np.asarray(labels)[:, None] == np.asarray(classes)[None, :]).astype("float64")


def chances(logits: Any) -> Any:
    """Return the softmax of logits."""
    import numpy as np

    raised = np.exp(logits - np.max(logits, axis=1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)
