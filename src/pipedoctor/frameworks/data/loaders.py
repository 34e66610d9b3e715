"""Data loaders and samplers that a trainer makes in a way of its own, and how much they yield."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipedoctor.fact import UNKNOWN, Cost, Fact, Split, Unavailable
from pipedoctor.frameworks.restoring.undisturbed import undisturbed
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe


@dataclass(frozen=True, repr=False, eq=False)
class Loader(Fact):
    """
    What feeds the model where that is not Trainer's usual data loader; not for checks.

    `loader` is the data loader, None where only the sampler is the trainer's own. `rows` is the
    number of rows of an epoch, `batches` that of its batches; None where it has no length.
    """

    doing = "Building the data loader"
    per_split = True

    loader: Any
    rows: int | None = UNKNOWN
    batches: int | None = UNKNOWN
    sampler: Any = None
    """The sampler, where only that is the trainer's own."""


@probe(Loader, Cost.DATA, "trainer", user_code=True)
def loader(pipeline: Pipeline, split: Split) -> Loader:
    """Build the trainer's own data loader or sampler, and draw nothing from it."""
    trainer = pipeline.part("trainer")
    data = pipeline.data(split)
    if _own(trainer, f"get_{split.value}_dataloader"):
        if isinstance(getattr(trainer, "eval_dataset", None), Mapping) and split is Split.EVAL:
            raise Unavailable("there are several sets of evaluation data, each with a loader")
        with undisturbed(trainer):
            made = getattr(_twin(trainer), f"get_{split.value}_dataloader")()
        return Loader(made, rows=_rows(made), batches=_length(made))
    name = f"_get_{split.value}_sampler"
    if not _own(trainer, name):
        raise Unavailable("Trainer makes its usual data loader")
    with undisturbed(trainer):
        method = getattr(_twin(trainer), name)
        takes = inspect.signature(method).parameters
        sampler = method(data) if takes else method()
    if sampler is None:
        raise Unavailable("Trainer makes its usual data loader")
    return Loader(None, rows=_length(sampler), sampler=sampler)


def own_loader(pipeline: Pipeline, split: Split) -> Loader | None:
    """Return what the trainer makes by itself; None where it is the usual."""
    if "trainer" not in pipeline.parts:
        return None
    try:
        return pipeline.fact(Loader, split)
    except Unavailable:
        return None


def _own(trainer: Any, name: str) -> bool:
    """Whether a method is not the one of transformers: the user's, or another library's."""
    method = vars(trainer).get(name, getattr(type(trainer), name, None))
    if method is None:
        return False
    return str(getattr(method, "__module__", "")).partition(".")[0] != "transformers"


def _twin(trainer: Any) -> Any:
    """Return a shallow copy of a trainer, for what it assigns to itself."""
    import copy

    return copy.copy(trainer)


def _rows(made: Any) -> Any:
    """Return the rows that a data loader goes through in an epoch, None if it has no length."""
    sampler = getattr(made, "sampler", None)
    return _length(sampler) if sampler is not None else UNKNOWN


def _length(held: Any) -> int | None:
    """Return a length as Trainer asks for it."""
    try:
        return len(held)
    except TypeError:
        return None
