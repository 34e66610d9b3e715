"""The loss as a trainer computes it, on a double of the trainer."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from pipedoctor.fact import Split, Unavailable
from pipedoctor.facts.labels import IGNORED
from pipedoctor.frameworks.double import double
from pipedoctor.frameworks.overrides import made_by

LIBRARIES = ("transformers", "trl")
"""Packages whose trainers compute what the model would, and keep records of it besides."""

Loss = Callable[[Any, Any], Any]


def own_loss(trainer: Any, split: Split = Split.TRAIN) -> Loss | None:
    """
    Return the trainer's own `compute_loss`, called as Trainer calls it; None if there is none.

    It is called on a double of the trainer, so that what it assigns is not kept.

    Raises:
        Unavailable: What it takes is made while the trainer trains.

    """
    if not has_own_loss(trainer):
        return None
    _demand_batches(trainer)
    return _computed(trainer, split)


def has_own_loss(trainer: Any) -> bool:
    """
    Whether a trainer computes another loss than its model would: the user's, or that of a method.

    The trainers of TRL that compare answers (DPO, KTO, a reward) do; SFTTrainer does not.
    """
    if trainer is None:
        return False
    if getattr(trainer, "compute_loss_func", None) or _overridden(trainer, "compute_loss"):
        return True
    names = {kind.__name__ for kind in type(trainer).__mro__}
    return made_by(trainer, "compute_loss") == "trl" and "SFTTrainer" not in names


def training_loss(trainer: Any) -> Loss:
    """
    Return what computes the loss of a training step.

    Raises:
        Unavailable: A training step of this trainer is more than the loss of one batch.

    """
    if _overridden(trainer, "training_step"):
        raise Unavailable(f"{type(trainer).__name__} has a training_step of its own")
    _demand_batches(trainer)
    return _computed(trainer, Split.TRAIN)


def _demand_batches(trainer: Any) -> None:
    if made_by(trainer, "_prepare_inputs") not in {"transformers", None}:
        raise Unavailable(f"{type(trainer).__name__} makes its batches while it trains")


def recorded_loss(trainer: Any, items: Any) -> Loss:
    """Return what computes the loss of a step that was divided by so many items."""
    training_loss(trainer)  # raises where a step is more than that
    return _computed(trainer, Split.TRAIN, lambda _trainer, _inputs: items)


def _computed(trainer: Any, split: Split, count: Callable[[Any, Any], Any] | None = None) -> Loss:
    twin = double(trainer)

    def compute(model: Any, inputs: Any) -> Any:
        words = {}
        if split is Split.TRAIN and _counts_items(trainer):
            words["num_items_in_batch"] = (count or _items)(trainer, inputs)
        return twin.compute_loss(model, dict(inputs), **words)

    return compute


def _overridden(trainer: Any, method: str) -> bool:
    """Whether a method is the user's own."""
    return made_by(trainer, method) not in {*LIBRARIES, None}


def _counts_items(trainer: Any) -> bool:
    """Whether this version of transformers hands the number of items to `compute_loss`."""
    mine = [kind for kind in type(trainer).__mro__ if kind.__module__ == "transformers.trainer"]
    method: Any = getattr(mine[0], "compute_loss", None) if mine else None
    return method is not None and "num_items_in_batch" in inspect.signature(method).parameters


def _items(trainer: Any, inputs: Any) -> Any:
    """Return the number of labels that count, where a training step would hand it on."""
    wanted = getattr(trainer, "model_accepts_loss_kwargs", False) or (
        getattr(trainer, "compute_loss_func", None) is not None
    )
    labels = inputs.get("labels")
    if not wanted or not hasattr(labels, "ne"):
        return None
    if getattr(trainer, "_loss_shifts_labels", False):
        labels = labels[..., 1:]
    return labels.ne(IGNORED).sum()
