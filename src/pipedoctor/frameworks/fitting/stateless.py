"""The gradients of a training step of JAX, which is handed all state and gives all of it back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from pipedoctor.fact import Unavailable, unknown
from pipedoctor.frameworks.fitting.library import path_of, plain
from pipedoctor.frameworks.fitting.untouched import optimizers

NO_LOSS = "the model's own train_step returns no loss under that name"


def by_loss(part: Any, data: Any) -> tuple[Any, dict[str, Any], Any]:
    """Have jax differentiate the loss, as the training step of Keras does."""
    import jax

    trainable, other, optimizer, metrics = _state(part)
    x, y, weight = (*data, None, None)[:3] if isinstance(data, tuple) else (data, None, None)
    function = jax.value_and_grad(part.compute_loss_and_updates, has_aux=True)
    (_, told), grads = function(
        trainable, other, metrics, x, y, weight, training=True, optimizer_variables=optimizer
    )
    paths = [path_of(variable) for variable in part.trainable_variables]
    loss = plain(told[0])
    return float(loss) if loss is not None else 0.0, dict(zip(paths, grads, strict=True)), None


def by_step(part: Any, data: Any) -> tuple[Any, dict[str, Any], Any]:
    """
    Have the model make its own training step, with optimizers that apply nothing.

    Raises:
        Unavailable: The step does not show its gradients.

    """
    found: dict[str, Any] = {}
    state = _state(part)
    paths = [path_of(variable) for variable in part.trainable_variables]
    known = {id(value): path for value, path in zip(state[0], paths, strict=True)}
    with ExitStack() as stack:
        for optimizer in optimizers(part):
            stack.enter_context(_withheld(optimizer, known, paths, found))
        made = part.train_step(state, data)
    logs = made[0] if isinstance(made, tuple) and made else {}
    if not found:
        raise Unavailable(
            "the model's own train_step hands no optimizer of Keras its gradients "
            "(stateless_apply was not called)"
        )
    value = plain(logs.get("loss")) if isinstance(logs, dict) else None
    return (float(value) if value is not None else unknown(NO_LOSS)), found, logs


def _state(part: Any) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    """Return the state that a step gets: trainable, other, of the optimizer, of the metrics."""
    held = (
        part.trainable_variables,
        part.non_trainable_variables,
        getattr(part.optimizer, "variables", ()),
        part.metrics_variables,
    )
    trainable, other, optimizer, metrics = ([one.value for one in group] for group in held)
    return trainable, other, optimizer, metrics


@contextmanager
def _withheld(
    optimizer: Any, known: dict[int, str], paths: list[str], found: dict[str, Any]
) -> Iterator[None]:
    """Have an optimizer keep the gradients that it gets, and give back what it was given."""

    def stateless_apply(optimizer_variables: Any, grads: Any, trainable_variables: Any) -> Any:
        values = list(trainable_variables)
        alike = len(values) == len(paths)
        for place, (gradient, value) in enumerate(zip(grads, values, strict=False)):
            name = known.get(id(value), paths[place] if alike else "")
            if name:
                found[name] = gradient
        return trainable_variables, optimizer_variables

    ours = {"stateless_apply": stateless_apply, "scale_loss": lambda loss: loss}
    before = {name: vars(optimizer)[name] for name in ours if name in vars(optimizer)}
    vars(optimizer).update(ours)
    try:
        yield
    finally:
        for name in ours:
            del vars(optimizer)[name]
        vars(optimizer).update(before)
