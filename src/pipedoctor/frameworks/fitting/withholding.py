"""Optimizers that are kept from applying what a training step hands them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipedoctor.frameworks.fitting import second_step
from pipedoctor.frameworks.fitting.library import path_of


@contextmanager
def withheld(optimizer: Any, found: dict[str, Any]) -> Iterator[None]:
    """Have an optimizer keep the gradients that it gets, and do nothing else."""

    def apply(grads: Any, trainable_variables: Any = None) -> None:
        for gradient, variable in zip(grads, trainable_variables or (), strict=False):
            found[path_of(variable)] = gradient

    def apply_gradients(pairs: Any, *_words: Any, **_: Any) -> None:
        for gradient, variable in pairs:
            found[path_of(variable)] = gradient

    ours = {"apply": apply, "apply_gradients": apply_gradients, "scale_loss": lambda loss: loss}
    ours |= second_step.UNSCALED
    before = {name: vars(optimizer)[name] for name in ours if name in vars(optimizer)}
    vars(optimizer).update(ours)
    try:
        yield
    finally:
        for name in ours:
            del vars(optimizer)[name]
        vars(optimizer).update(before)
