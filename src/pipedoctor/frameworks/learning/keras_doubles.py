"""Optimizers that stand for those of a model, so that these stay as they are."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.frameworks.fitting.library import stored
from pipedoctor.frameworks.fitting.second_step import build, gathered, is_built, stated_rate

UNSET = {"gradient_accumulation_steps": None, "loss_scale_factor": None, "use_ema": False}
"""
What a double does without.

One batch over and over makes the mean of its gradients, and these are not scaled; an average of
weights changes nothing in training.
"""


def double(optimizer: Any, trained: list[Any], rate: float | None) -> Any:
    """
    Return an optimizer of the same kind and figures, with what the first has gathered so far.

    `rate` is in the place of any schedule; None keeps what is there.

    Raises:
        Unavailable: It can't be made anew from its own description.

    """
    kind = type(optimizer)
    try:
        # A schedule of the user's own need not describe itself: it is not asked to.
        with stated_rate(optimizer, rate) if rate is not None else nullcontext():
            config = dict(optimizer.get_config())
        if rate is not None:
            config["learning_rate"] = rate
        made = kind.from_config(config | {n: v for n, v in UNSET.items() if n in config})
        build(made, trained)
    except Exception as error:  # whatever an own optimizer raises of its own figures
        raise Unavailable(
            f"{kind.__name__} can't be made a second time from its get_config(), and yours is to "
            f"stay as it is ({type(error).__name__}: {error})"
        ) from error
    mine, theirs, held = gathered(made), gathered(optimizer), vars(optimizer)
    if is_built(optimizer) and [tuple(v.shape) for v in mine] == [tuple(v.shape) for v in theirs]:
        for new, old in zip(mine, theirs, strict=True):
            if old is not held.get("_learning_rate"):
                new.assign(stored(old))
    return made
