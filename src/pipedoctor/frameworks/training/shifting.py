"""Whether labels are those of the next token, and whether the model shifts them by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pipedoctor.fact import Unavailable, unknown
from pipedoctor.facts.label_shift import LabelShift
from pipedoctor.facts.labels import IGNORED
from pipedoctor.finding import Location
from pipedoctor.probes.preview.arrays import to_numpy

NEAR = 1e-5
"""A loss is taken for the one that is computed here if it differs by this share at most."""

APART = 10.0
"""The other one has to be so many times further away, and no less than `NEAR`."""


MOST = 0.98
"""Labels of which so many are the next token were shifted; a few may be masked or replaced."""


@dataclass
class Counts:
    """The labels that count, and how many are their own token, or the next one."""

    labels: int = 0
    same: int = 0
    following: int = 0

    def add(self, arrays: Mapping[str, Any]) -> None:
        """Count the labels of a batch that stand beside tokens; others are left out."""
        ids, labels = (to_numpy(arrays.get(name)) for name in ("input_ids", "labels"))
        if ids is None or labels is None or ids.ndim != 2 or ids.shape != labels.shape:
            return
        counted = labels[:, :-1] != IGNORED
        self.labels += int(counted.sum())
        self.same += int((counted & (labels[:, :-1] == ids[:, :-1])).sum())
        self.following += int((counted & (labels[:, :-1] == ids[:, 1:])).sum())

    @property
    def ahead(self) -> bool:
        """Whether the labels are those of the next token."""
        return self.labels > 0 and self.following >= MOST * self.labels > self.same


def counted(batches: Iterable[Mapping[str, Any]], shifts: Any) -> LabelShift:
    """
    Return what some batches show.

    Raises:
        Unavailable: They have no labels beside their tokens.

    """
    counts = Counts()
    for arrays in batches:
        counts.add(arrays)
    if not counts.labels:
        raise Unavailable("the batch has no label for each token")
    return LabelShift(counts.labels, counts.same, counts.following, shifts)


def of_a_call(given: Mapping[str, Any], answer: Any, where: Location) -> LabelShift | None:
    """Return what a call of a model shows, if it was given tokens and labels."""
    try:
        return replace(counted([given], shifts(answer, given)), where=where)
    except Unavailable:
        return None


def shifts(answer: Any, arrays: Mapping[str, Any]) -> Any:
    """
    Return whether a model's loss is that of the next labels; an unknown value if not told.

    It is only worked out where the labels are those of the next token already.
    """
    counts, labels = Counts(), arrays.get("labels")
    counts.add(arrays)
    if not counts.ahead:
        return unknown("the labels are not those of the next token")
    loss, logits = (_of(answer, name) for name in ("loss", "logits"))
    if labels is None or not all(hasattr(one, "detach") for one in (loss, logits, labels)):
        return unknown("the model gives no loss and logits that could be compared")
    if loss.numel() != 1 or logits.ndim != 3 or logits.shape[:2] != labels.shape:
        return unknown("the logits do not stand beside the labels")
    labels = labels.to(logits.device)
    theirs = float(loss.detach().float())
    here = abs(_entropy(logits, labels) - theirs)
    there = abs(_entropy(logits[:, :-1], labels[:, 1:]) - theirs)
    near, far = min(here, there), max(here, there)
    if not (near <= NEAR * max(1.0, abs(theirs)) < far and far >= APART * near):
        return unknown("the loss is not that of each token, or both ways give the same")
    return there < here


def _of(answer: Any, name: str) -> Any:
    return answer.get(name) if isinstance(answer, Mapping) else getattr(answer, name, None)


def _entropy(logits: Any, labels: Any) -> float:
    """Return the mean cross-entropy of the labels; not a number where they have none."""
    import torch

    classes = logits.shape[-1]
    kept = labels != IGNORED
    chosen = labels[kept]
    if chosen.numel() == 0 or int(chosen.min()) < 0 or int(chosen.max()) >= classes:
        return float("nan")
    return float(torch.nn.functional.cross_entropy(logits.detach()[kept].float(), chosen.long()))
