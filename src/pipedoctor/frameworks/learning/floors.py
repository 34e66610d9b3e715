"""
The lowest loss that a batch can be brought to, and that of the best constant answer.

Rows that are the same to the model but have different labels can't all be answered right: the
loss stays at the entropy of their labels (for squares, at their variance). Label smoothing wants
answers that are never sure. Both are computed from the batch, without a model.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from math import log
from typing import Any

CLASSES, SQUARES, DISTANCES, YES_OR_NO = "classes", "squares", "distances", "yes or no"


@dataclass(frozen=True)
class Bounds:
    """The floor and what it is made of; `chance` is None where nothing is known."""

    floor: float = 0.0
    chance: float | None = None
    parts: dict[str, float] = field(default_factory=dict)
    negated: bool = False

    def times(self, factor: float) -> Bounds:
        """Return those of a loss that is so many times this one."""
        chance = None if self.chance is None else self.chance * factor
        parts = {why: value * factor for why, value in self.parts.items()}
        return Bounds(self.floor * factor, chance, parts)


def of_classes(
    labels: Sequence[int], contexts: Sequence[Hashable], smoothing: float, classes: int
) -> Bounds:
    """Return the bounds of a cross-entropy, given what the model sees of each label."""
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for label, context in zip(labels, contexts, strict=True):
        groups[context].append(label)
    count = max(1, len(labels))

    def mean(share: float) -> float:
        each = (len(g) * _entropy(g, share, classes) for g in groups.values())
        return sum(each) / count

    duplicates, floor = mean(0.0), mean(smoothing)
    parts = {}
    if duplicates > 1e-9:
        parts["the same input with different labels"] = duplicates
    if floor - duplicates > 1e-9:
        parts["label smoothing"] = floor - duplicates
    return Bounds(floor, _entropy(labels, smoothing, classes), parts)


def of_numbers(targets: Any, contexts: Sequence[Hashable], kind: str) -> Bounds:
    """Return the bounds of a mean of squares or distances, or of a binary cross-entropy, over rows."""
    import numpy as np

    rows = np.asarray(targets, dtype="float64").reshape(len(contexts), -1)
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for place, context in enumerate(contexts):
        groups[context].append(place)

    def loss(held: Any) -> float:
        mean = held.mean(0)
        if kind == DISTANCES:  # of all constant answers, the median is nearest
            return float(np.abs(held - np.median(held, axis=0)).mean())
        if kind == SQUARES:
            return float(((held - mean) ** 2).mean())
        shares = np.clip(mean, 1e-12, 1 - 1e-12)
        return float(-(shares * np.log(shares) + (1 - shares) * np.log(1 - shares)).mean())

    floor = sum(len(g) * loss(rows[g]) for g in groups.values()) / max(1, len(rows))
    same = len(groups) < len(rows) and floor > 1e-9
    return Bounds(
        floor, loss(rows), {"the same input with different labels": floor} if same else {}
    )


def _entropy(labels: Sequence[int], smoothing: float, classes: int) -> float:
    """Return the entropy of labels, each of which spreads a share of itself over all classes."""
    if not labels:
        return 0.0
    counts = Counter(labels)
    even = smoothing / max(1, classes)
    shares = [(1 - smoothing) * n / len(labels) + even for n in counts.values()]
    told = -sum(share * log(share) for share in shares if share > 0)
    rest = classes - len(counts)
    return told - rest * even * log(even) if even > 0 and rest > 0 else told
