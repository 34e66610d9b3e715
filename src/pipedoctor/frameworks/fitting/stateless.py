"""The gradients of a training step of JAX, which is handed all state and gives all of it back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from pipedoctor.fact import Unavailable, unknown
from pipedoctor.frameworks.fitting.library import path_of, plain
from pipedoctor.frameworks.fitting.untouched import optimizers

NO_LOSS = "the model's own train_step returns no loss under that name"
NO_GRADIENTS = (
    "the model's own train_step hands no optimizer of Keras its gradients (stateless_apply was not "
    "called)"
)


class Kept(NamedTuple):
    """A gradient that an optimizer got, and the place of its variable among the trainable ones."""

    optimizer: Any
    place: int
    gradient: Any


def by_loss(part: Any, data: Any) -> tuple[Any, dict[str, Any], Any]:
    """Have jax differentiate the loss, as the training step of Keras does."""
    import jax

    trainable, other, optimizer, metrics = state_of(part)
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
    logs, found = own_step(part, data)
    paths = [path_of(variable) for variable in part.trainable_variables]
    value = plain(logs.get("loss")) if isinstance(logs, Mapping) else None
    of = {paths[one.place]: one.gradient for one in found}
    return (float(value) if value is not None else unknown(NO_LOSS)), of, logs


def own_step(part: Any, data: Any) -> tuple[Any, list[Kept]]:
    """
    Return what a train_step of the user's logs, and the gradients that it would have applied.

    Raises:
        Unavailable: The step does not show its gradients.

    """
    state = state_of(part)
    with kept(part, state[0]) as found:
        made = part.train_step(state, data)
    if not found and part.trainable_variables:
        raise Unavailable(NO_GRADIENTS)
    return (made[0] if isinstance(made, tuple) and made else {}), found


def state_of(part: Any) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
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
def kept(part: Any, trained: Sequence[Any]) -> Iterator[list[Kept]]:
    """
    Have the optimizers keep the gradients that they get, and give back what they were given.

    `trained` are the values of the trainable variables, by which a step says whose gradient it is.
    """
    found: list[Kept] = []
    places = {id(value): place for place, value in enumerate(trained)}

    def apply(optimizer: Any) -> Any:
        def stateless_apply(optimizer_variables: Any, grads: Any, trainable_variables: Any) -> Any:
            values = list(trainable_variables)
            alike = len(values) == len(trained)
            for number, (gradient, value) in enumerate(zip(grads, values, strict=False)):
                place = places.get(id(value), number if alike else None)
                if place is not None:
                    found.append(Kept(optimizer, place, gradient))
            return trainable_variables, optimizer_variables

        return stateless_apply

    with ExitStack() as stack:
        for optimizer in optimizers(part):
            held = vars(optimizer)
            ours = {"stateless_apply": apply(optimizer), "scale_loss": lambda loss: loss}
            before = {name: held[name] for name in ours if name in held}
            stack.callback(held.update, before)
            for name in ours:
                stack.callback(held.pop, name)
            held.update(ours)
        yield found
