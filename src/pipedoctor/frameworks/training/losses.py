"""The loss of each row, recomputed from the logits, and trusted only if it adds up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipedoctor.facts.labels import IGNORED

TOLERANCE = 1e-3
"""
How far the mean of our row losses may be off the model's own loss, relative to it.

The two differ by rounding only; in half precision that is about this much.
"""


def row_losses(logits: Any, labels: Any, loss: float) -> tuple[float, ...] | None:
    """
    Return the losses of the rows if their mean is what the model says, else None.

    None too for labels that cross-entropy would refuse: the model has a way of its own with them.
    """
    for losses, weights in _candidates(logits.detach().float().cpu(), labels.detach().cpu()):
        total = weights.sum().item()
        if not total:
            continue
        mean = (losses * weights).nansum().item() / total if _finite(loss) else loss
        if _close(mean, loss) and (_finite(loss) or not losses.isfinite().all()):
            return tuple(losses.tolist())
    return None


def _candidates(logits: Any, labels: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the losses of the rows, and how much each counts, under each usual reading."""
    import torch

    rows = len(logits)
    ones = torch.ones(rows)
    if labels.is_floating_point():
        if logits.numel() == labels.numel():
            shaped = labels.float().view_as(logits)
            yield ((logits - shaped) ** 2).reshape(rows, -1).mean(1), ones
            each = torch.nn.functional.binary_cross_entropy_with_logits
            yield each(logits, shaped, reduction="none").reshape(rows, -1).mean(1), ones
        return
    if not _in_range(logits, labels):
        return
    if logits.ndim == 2 and labels.ndim == 1:
        if logits.shape[1] == 1:
            yield (logits[:, 0] - labels.float()) ** 2, ones
        else:
            yield _entropy(logits[:, None], labels[:, None])
    if logits.ndim == 3 and labels.ndim == 2 and logits.shape[:2] == labels.shape:
        yield _entropy(logits, labels)
        yield _entropy(logits[:, :-1], labels[:, 1:])  # a causal model predicts the next token


def _in_range(logits: Any, labels: Any) -> bool:
    counted = labels[labels != IGNORED]
    classes = logits.shape[-1]
    return classes == 1 or bool(((counted >= 0) & (counted < classes)).all())


def _entropy(logits: Any, labels: Any) -> tuple[Any, Any]:
    """Return the mean cross-entropy of the tokens of each row, and how many tokens it has."""
    import torch

    each = torch.nn.functional.cross_entropy(
        logits.transpose(1, 2), labels, ignore_index=IGNORED, reduction="none"
    )
    counted = (labels != IGNORED).sum(1).float()
    return each.sum(1) / counted, counted


def _finite(number: float) -> bool:
    return number - number == 0


def _close(ours: float, theirs: float) -> bool:
    if not _finite(theirs):
        return True
    return abs(ours - theirs) <= TOLERANCE * max(abs(theirs), TOLERANCE)
