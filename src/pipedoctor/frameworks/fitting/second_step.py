"""What differs in the training step of Keras 2: how it tells its loss, and its optimizers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pipedoctor.frameworks.fitting.library import Library, of, path_of

UNSCALED: dict[str, Callable[[Any], Any]] = {
    "get_scaled_loss": lambda loss: loss,
    "get_unscaled_gradients": lambda gradients: gradients,
}
"""What stands in for the methods of an optimizer that scales the loss, so that it does not."""


@contextmanager
def losses_told(library: Library, tell: Callable[[Any], None]) -> Iterator[None]:
    """
    Tell each loss that a model computes with what compile made of its loss.

    The models of transformers have a training step that calls nothing else.
    """
    kind = library.module("engine.compile_utils").LossesContainer
    original = kind.__call__

    def called(losses: Any, *words: Any, **keywords: Any) -> Any:
        loss = original(losses, *words, **keywords)
        tell(loss)
        return loss

    kind.__call__ = called
    try:
        yield
    finally:
        kind.__call__ = original


def apply(optimizer: Any, gradients: Sequence[Any], trained: Sequence[Any]) -> None:
    """Have an optimizer update variables, whatever stands in for its methods."""
    pairs = [(g, v) for g, v in zip(gradients, trained, strict=True) if g is not None]
    if pairs:  # those of before 2.11 raise where there are none
        type(optimizer).apply_gradients(optimizer, pairs)


def is_built(optimizer: Any) -> bool:
    """Whether an optimizer, of either Keras, has its variables."""
    library = of(optimizer)
    if library is None or not library.second:
        return bool(optimizer.built)
    before_2_11 = hasattr(optimizer, "_create_all_weights")
    return bool(getattr(optimizer, "_hypers_created" if before_2_11 else "_built", False))


def build(optimizer: Any, trained: Sequence[Any]) -> None:
    """Give an optimizer, of either Keras, its variables, as its first update would."""
    if hasattr(optimizer, "_create_all_weights"):
        optimizer._create_all_weights(list(trained))  # noqa: SLF001 - there is no public way
    else:
        optimizer.build(list(trained))


def gathered(optimizer: Any) -> list[Any]:
    """Return what an optimizer, of either Keras, lists as its variables."""
    held = optimizer.variables
    return list(held() if callable(held) else held)


def state(optimizer: Any) -> list[Any]:
    """Return all variables of an optimizer, of either Keras: also those that hold its rate."""
    rates = [vars(optimizer).get(name) for name in ("_learning_rate", "_current_learning_rate")]
    more = [*rates, *vars(optimizer).get("_hyper", {}).values()]
    found = [*gathered(optimizer), *(v for v in more if hasattr(v, "assign"))]
    return list({id(variable): variable for variable in found}.values())


@contextmanager
def stated_rate(optimizer: Any, rate: float) -> Iterator[None]:
    """Have an optimizer describe itself with this rate."""
    held = vars(optimizer).get("_hyper", vars(optimizer))
    name = "learning_rate" if "learning_rate" in held else "_learning_rate"
    before = held[name]
    held[name] = rate
    try:
        yield
    finally:
        held[name] = before


def paths(trained: Sequence[Any]) -> list[str]:
    """Return the names of variables; those that several have, with a number."""
    names: list[str] = []
    for variable in trained:
        name, number = path_of(variable), 1
        while name in names:
            name, number = f"{path_of(variable)}_{number}", number + 1
        names.append(name)
    return names
