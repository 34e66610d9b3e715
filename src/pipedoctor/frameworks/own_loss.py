"""The loss as a trainer computes it, on a double of the trainer."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any

from pipedoctor.fact import Split, Unavailable
from pipedoctor.facts.labels import IGNORED
from pipedoctor.frameworks.snapshot import CONTAINERS

LIBRARIES = ("transformers", "trl")
"""Packages whose trainers compute what the model would, and keep records of it besides."""

DEEPEST = 3
"""How many containers within each other a trainer's records are: `_metrics["train"]["loss"]`."""

LONGEST = 1000
"""A list longer than this is one of rows, whose entries nobody changes."""

Loss = Callable[[Any, Any], Any]


def own_loss(trainer: Any, split: Split = Split.TRAIN) -> Loss | None:
    """
    Return the user's own `compute_loss`, called as Trainer calls it; None if there is none.

    It is called on a double of the trainer, so that what it assigns is not kept.
    """
    if trainer is None:
        return None
    if not _overridden(trainer, "compute_loss") and not getattr(
        trainer, "compute_loss_func", None
    ):
        return None
    return _computed(trainer, split)


def training_loss(trainer: Any) -> Loss:
    """
    Return what computes the loss of a training step.

    Raises:
        Unavailable: A training step of this trainer is more than the loss of one batch.

    """
    name = type(trainer).__name__
    if _overridden(trainer, "training_step"):
        raise Unavailable(f"{name} has a training_step of its own")
    if _made_by(trainer, "_prepare_inputs") not in {"transformers", None}:
        raise Unavailable(f"{name} makes its batches while it trains")
    return _computed(trainer, Split.TRAIN)


def double(trainer: Any) -> Any:
    """
    Return a shallow copy of a trainer that can be worked with, and leaves no trace in it.

    Its records are copies, and it tells no callback of what it logs.
    """
    twin = copy.copy(trainer)
    for name, value in vars(trainer).items():
        vars(twin)[name] = _copied(value)
    for name in ("state", "control"):
        held = copy.copy(getattr(trainer, name, None))
        if held is not None:
            vars(held).update({key: _copied(value) for key, value in vars(held).items()})
            vars(twin)[name] = held
    handler = copy.copy(getattr(trainer, "callback_handler", None))
    if handler is not None:
        handler.callbacks = []
        twin.callback_handler = handler
    twin.log = lambda *_words, **_keywords: None
    return twin


def _computed(trainer: Any, split: Split) -> Loss:
    twin = double(trainer)

    def compute(model: Any, inputs: Any) -> Any:
        words = {}
        if split is Split.TRAIN and _counts_items(trainer):
            words["num_items_in_batch"] = _items(trainer, inputs)
        return twin.compute_loss(model, dict(inputs), **words)

    return compute


def _made_by(trainer: Any, method: str) -> str | None:
    """Return the package whose class gives the trainer a method; None if it has no such method."""
    found = getattr(type(trainer), method, None)
    return None if found is None else str(found.__module__).partition(".")[0]


def _overridden(trainer: Any, method: str) -> bool:
    """Whether a method is the user's own."""
    return _made_by(trainer, method) not in {*LIBRARIES, None}


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


def _copied(value: Any, depth: int = 0) -> Any:
    """Return a copy of plain containers, and anything else as it is."""
    if type(value) not in CONTAINERS or depth == DEEPEST:
        return value
    twin = value.copy()
    if isinstance(twin, dict):
        for key, held in value.items():
            twin[key] = _copied(held, depth + 1)
    elif isinstance(twin, list) and len(twin) <= LONGEST:
        twin[:] = [_copied(held, depth + 1) for held in value]
    return twin
