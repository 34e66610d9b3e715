"""The callbacks of a Trainer."""

from __future__ import annotations

from typing import Any

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.callbacks import Callbacks, EarlyStopping
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe


@probe(Callbacks, Cost.STATIC, "trainer")
def callbacks(pipeline: Pipeline, _split: Split) -> Callbacks:
    """Name the trainer's callbacks, and look at the one that stops early."""
    handler = getattr(pipeline.part("trainer"), "callback_handler", None)
    if handler is None:
        raise Unavailable("the trainer has no callbacks")
    found = list(handler.callbacks)
    return Callbacks(
        names=tuple(type(callback).__name__ for callback in found),
        early_stopping=next(filter(None, map(_early_stopping, found)), None),
    )


def _early_stopping(callback: Any) -> EarlyStopping | None:
    from transformers import EarlyStoppingCallback

    if not isinstance(callback, EarlyStoppingCallback):
        return None
    kind = type(callback)
    for method in ("on_train_begin", "on_evaluate", "check_metric_value"):
        if getattr(kind, method) is not getattr(EarlyStoppingCallback, method):
            return None  # one that works in a way of its own
    return EarlyStopping(
        patience=int(callback.early_stopping_patience),
        threshold=float(callback.early_stopping_threshold or 0.0),
    )
