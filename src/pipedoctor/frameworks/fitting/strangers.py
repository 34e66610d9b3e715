"""Training steps that change weights in ways of their own: they are stopped, or found out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.frameworks.fitting.library import Library, to_numpy


def demand_unmoved(part: Any, before: list[tuple[Any, Any]]) -> None:
    """Raise `Unavailable` if a training step has changed what its optimizers were to change."""
    trained = {id(variable) for variable in part.trainable_variables}
    for variable, value in before:
        if id(variable) not in trained:
            continue
        old, new = to_numpy(value), to_numpy(variable.value)
        if not ((old == new) | ((old != old) & (new != new))).all():  # noqa: PLR0124 - NaN stays NaN
            raise Unavailable(
                f"the model's own train_step changes {variable.path} without an optimizer of Keras"
            )


@contextmanager
def strangers_stopped(library: Library) -> Iterator[None]:
    """Stop an optimizer that was not found in the model before it changes anything."""

    def stop(optimizer: Any, *_words: Any, **_keywords: Any) -> None:
        raise Unavailable(
            f"the model's own train_step uses an optimizer ({type(optimizer).__name__}) that the "
            "model does not hold, so that what it changes could not be put back"
        )

    kind = library.module("optimizers.base_optimizer").BaseOptimizer
    original = kind.apply
    with ExitStack() as stack:
        if library.backend == "torch":
            from torch.optim.optimizer import register_optimizer_step_pre_hook

            stack.callback(register_optimizer_step_pre_hook(stop).remove)
        kind.apply = stop
        stack.callback(setattr, kind, "apply", original)
        yield
