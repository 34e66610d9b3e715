"""The labels of a loop's first batches, one behind the other as the loop got them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.facts.label_order import LabelOrder
from pipedoctor.finding import Location

LONGEST = 4096
"""Longer batches are not kept."""

BINARY = {"bce", "bce_with_logits"}


@dataclass
class Labels:
    """The labels so far, while they come from loss after loss of one form."""

    rows: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    """How many rows each batch had."""
    other: bool = False
    """Whether a loss had no label for each row, or not one of a class."""

    def take(self, targets: Sequence[tuple[str, Any]]) -> None:
        """Take the labels of a batch from what its loss compares with."""
        told = None if self.other or len(targets) != 1 else _classes(*targets[0])
        if told is None:
            self.other = True
        else:
            self.rows += told
            self.sizes.append(len(told))

    @property
    def period(self) -> int | None:
        """After how many batches the labels came once more, as in the next pass over the data."""
        ends = list(accumulate(self.sizes))
        for number, end in enumerate(ends[:-1], 1):
            again = self.rows[end:]
            several = len(set(self.rows[:end])) > 1
            if several and len(again) > self.sizes[0] and again == self.rows[: len(again)]:
                return number
        return None


def order(labels: Labels, batches: int | None, where: Location) -> LabelOrder:
    """
    Return in which order the labels came, over no more than one pass over the data.

    Raises:
        Unavailable: The loss has no class for each row.

    """
    import numpy as np

    from pipedoctor.frameworks.data.label_order import counted

    if labels.other or not labels.rows:
        raise Unavailable("the loss of the loop has no class for each row")
    sizes = labels.sizes[: labels.period if batches is None else batches]
    codes = np.asarray(labels.rows[: sum(sizes)])
    told = counted(codes)
    return LabelOrder(
        column="the labels",
        **told,
        label=int(codes[told["begins"]]),
        shuffled=False,
        unshuffled_by="this is the order in which the loop got them",
        batch=max(sizes),
        where=where,
    )


def _classes(kind: str, target: Any) -> list[int] | None:
    """Return the class of each row, None where the target is something else."""
    if target is None or not 0 < target.numel() <= LONGEST:
        return None
    if kind in BINARY:
        single = target.ndim == 1 or (target.ndim == 2 and target.shape[1] == 1)
        if not single or not bool(((target == 0) | (target == 1)).all()):
            return None
    elif target.ndim != 1 or target.is_floating_point():
        return None
    return [int(value) for value in target.flatten().tolist()]
