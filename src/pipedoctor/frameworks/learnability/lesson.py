"""What a label of a row is, and which rows are taken; no framework."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.facts.labels import IGNORED
from pipedoctor.facts.learnability import CLASSES, NUMBERS, SEVERAL
from pipedoctor.frameworks.learnability import association
from pipedoctor.frameworks.learnability.trial import SEED

ROWS = 400
"""So many rows are taken where nobody asks for more or less."""

MOST_CLASSES = 100
"""Of more classes, a few hundred rows hold too few of each."""

BATCH = 32
"""Batches are not larger than this, so that there are enough updates."""


def places(total: int, wished: int) -> list[int]:
    """Return rows spread over all of the data, in an order of no meaning."""
    import numpy as np

    random = np.random.default_rng(SEED)
    return [int(row) for row in random.permutation(total)[:wished]]


def grouped(rows: Sequence[int], size: int) -> list[tuple[int, ...]]:
    """Return the rows in batches of at least two."""
    size = max(2, min(size, BATCH))
    cut = [tuple(rows[n : n + size]) for n in range(0, len(rows), size)]
    return [group for group in cut if len(group) > 1]


def first_ones(keys: Sequence[Hashable]) -> list[int]:
    """Return the places of keys that were not there before: the same input is learned once."""
    seen: dict[Hashable, int] = {}
    for place, key in enumerate(keys):
        seen.setdefault(key, place)
    return sorted(seen.values())


@dataclass(frozen=True)
class Task:
    """What the labels are, as a row of numbers for each row, and how answers are read."""

    kind: str
    labels: Any
    yes_or_no: bool = False
    """Two classes, of which the model tells one by a single number."""

    @classmethod
    def of(cls, labels: Any, outputs: tuple[int, ...]) -> Task:
        """
        Return the task, given all labels and the shape of the answer to a row.

        Raises:
            Unavailable: It is none with one label a row.

        """
        import numpy as np

        labels = np.asarray(labels)
        width = int(np.prod(outputs)) if outputs else 1
        if labels.ndim == 2 and labels.shape[1] == 1:
            labels = labels[:, 0]
        whole = labels.dtype.kind in "biu"
        if labels.ndim == 1 and whole and width > 1 and len(outputs) == 1:
            classes = [int(c) for c in np.unique(labels) if c != IGNORED]
            if min(classes, default=0) < 0 or max(classes, default=0) >= width:
                raise Unavailable("labels are out of the model's range")
            demand(len(classes))
            return cls(CLASSES, association.one_hot(labels, range(width)))
        if labels.ndim == 1 and width == 1:
            values = np.unique(labels)
            if len(values) == 2:
                return cls(CLASSES, association.one_hot(labels, values), yes_or_no=True)
            return cls(NUMBERS, labels.astype("float64")[:, None])
        if labels.ndim == 2 and labels.shape[1] == width and len(outputs) == 1:
            rows = labels.astype("float64")
            if bool(((rows == 0) | (rows == 1)).all()):
                alone = bool((rows.sum(1) == 1).all())
                return cls(CLASSES if alone else SEVERAL, rows)
            return cls(NUMBERS, rows)
        raise Unavailable(
            f"labels of shape {tuple(labels.shape[1:])} for answers of shape {outputs}: the "
            "comparison is made for one label, or one set of labels, to a row"
        )

    def read(self, answers: Any) -> Any:
        """Return answers as chances of classes, of labels, or as numbers, with a row for each row."""
        import numpy as np

        rows = np.asarray(answers, dtype="float64").reshape(len(answers), -1)
        if self.kind == NUMBERS:
            return rows
        within = bool(((rows >= 0) & (rows <= 1)).all())
        if self.yes_or_no or self.kind == SEVERAL:
            chances = rows if within else 1 / (1 + np.exp(-np.clip(rows, -60, 60)))
            return np.concatenate([1 - chances, chances], axis=1) if self.yes_or_no else chances
        sums = within and bool((abs(rows.sum(1) - 1) < 1e-3).all())
        return rows if sums else association.chances(rows)

    @property
    def second(self) -> int | None:
        """How many rows the second most frequent class has; None without classes."""
        import numpy as np

        if self.kind != CLASSES:
            return None
        counts = np.sort(self.labels.sum(0))
        return int(counts[-2]) if len(counts) > 1 else 0


def demand(classes: int) -> None:
    """
    Demand labels that a few hundred rows can tell of.

    Raises:
        Unavailable: There are too many, or there is one only.

    """
    if classes < 2:
        raise Unavailable("all of these rows have the same label")
    if classes > MOST_CLASSES:
        raise Unavailable(f"{classes} classes are more than some hundred rows can tell of")
