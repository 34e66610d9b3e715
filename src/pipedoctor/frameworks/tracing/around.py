"""What stands around a value that is not finite: where data got it, and whether the run diverged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isfinite
from typing import Any

from pipedoctor.fact import Split
from pipedoctor.facts.trace import BACKWARD, Birth
from pipedoctor.frameworks.restoring.undisturbed import undisturbed
from pipedoctor.frameworks.tracing import families
from pipedoctor.frameworks.tracing.replay import Found
from pipedoctor.pipeline import Pipeline

GROWN = 1000.0
"""A loss that has grown by so much within the steps that were run is no noise of any task."""

LARGEST = 3.4028234663852886e38
"""The largest float32."""


def diverged(losses: Sequence[float]) -> str | None:
    """Return what is to be said of losses that ran away before one was not finite."""
    known = [loss for loss in losses if isfinite(loss)]
    if len(known) < 2 or not 0 < known[0] * GROWN < max(known):
        return None
    return (
        f"the loss grew from {known[0]:.3g} to {max(known):.3g} within {len(losses)} passes: the "
        "training had diverged before; lower the learning rate (or clip the gradients) first"
    )


def of_collator(pipeline: Pipeline, birth: Birth, rows: Sequence[int]) -> Birth:
    """Say that the collator made a value, where the rows of the data set don't hold it."""
    if not rows or _in_data(pipeline, rows):
        return birth
    collator = pipeline.parts.get("collator")
    code = getattr(collator, "__code__", None)
    name = getattr(collator, "__qualname__", type(collator).__name__)
    place = f" ({code.co_filename}:{code.co_firstlineno})" if code is not None else ""
    return replace(
        birth,
        family="made-by-the-collator",
        why="the rows of the data set are finite; what makes the batch of them makes the value",
        cure=f"look at {name}{place}: what it computes from these rows (a division by 0, a "
        "logarithm of 0) needs a lower bound",
    )


def _in_data(pipeline: Pipeline, rows: Sequence[int]) -> bool:
    """Whether a row of the data set holds a value that is not finite, or can't be looked at."""
    data = pipeline.data(Split.TRAIN)
    with undisturbed(data):
        try:
            return any(_bad(data[int(row)]) for row in rows)
        except Exception:  # noqa: BLE001 - the user's code; then nothing else is claimed
            return True


def _bad(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_bad, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(_bad, value))
    if isinstance(value, float):
        return not isfinite(value)
    if hasattr(value, "dtype") and hasattr(value, "tolist"):
        return _bad(value.tolist())
    return False


def of_divergence(found: Found, told: str) -> tuple[Found, tuple[str, ...]]:
    """Have what was found say first that the training diverged; else return that as a note."""
    origin = found.origin
    meant = all(cause.intended for cause in found.causes)
    if origin.family not in families.DIVERGING or not meant:
        return found, (told,)
    grown = told.partition("; lower")[0]
    why = f"{grown}{'; ' * bool(origin.why)}{origin.why}"
    cure = "lower learning_rate, and clip gradients (max_grad_norm=1.0)"
    return replace(found, origin=replace(origin, why=why, cure=cure)), ()


def norm_beyond_float32(gradients: Sequence[Any]) -> Birth | None:
    """
    Return why clipping makes NaN of gradients that are finite; None if their norm is a number.

    Trainer computes that norm also where nothing is to be clipped.
    """
    import torch

    if not gradients:
        return None
    norms = [torch.linalg.vector_norm(g.detach().float()) for g in gradients]
    if bool(torch.linalg.vector_norm(torch.stack(norms)).isfinite()):
        return None
    largest = max(float(g.detach().abs().max()) for g in gradients)
    return Birth(
        when=BACKWARD,
        what="inf",
        operation="the norm of all gradients",
        count=1,
        size=1,
        dtype="float32",
        operands=(f"the largest gradient is {largest:.3g}; its square is beyond {LARGEST:.2g}",),
        family="gradients-beyond-float32",
        why="every gradient is finite, but so large that their norm is infinite; clipping divides "
        "by it, and all of them become NaN: the training had diverged",
        cure="lower the learning rate; the loss ran away in the steps before this one",
    )
