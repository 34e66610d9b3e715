"""The loss of a trainer that computes its own."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any

LIBRARIES = ("transformers", "trl")
"""Packages whose trainers compute what the model would, and keep records of it besides."""


def own_loss(trainer: Any) -> Callable[[Any, Any], Any] | None:
    """
    Return the user's own `compute_loss`, called as a training step calls it; None if there is none.

    It is called on a shallow copy of the trainer, so that what it assigns is not kept.
    """
    if trainer is None:
        return None
    method = getattr(type(trainer), "compute_loss", None)
    overridden = str(getattr(method, "__module__", None)).partition(".")[0] not in LIBRARIES
    if not overridden and getattr(trainer, "compute_loss_func", None) is None:
        return None
    double = copy.copy(trainer)

    def compute(model: Any, inputs: Any) -> Any:
        words = {"num_items_in_batch": None} if _counts_items(trainer) else {}
        return double.compute_loss(model, dict(inputs), **words)

    return compute


def _counts_items(trainer: Any) -> bool:
    """Whether this version of transformers hands the number of items to `compute_loss`."""
    mine = [kind for kind in type(trainer).__mro__ if kind.__module__ == "transformers.trainer"]
    method: Any = getattr(mine[0], "compute_loss", None) if mine else None
    return method is not None and "num_items_in_batch" in inspect.signature(method).parameters
