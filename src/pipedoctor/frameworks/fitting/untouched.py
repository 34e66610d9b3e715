"""Leaving a model of Keras as it was: every variable, and what a call changes besides."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any

from pipedoctor.frameworks.fitting import room, second, second_step
from pipedoctor.frameworks.fitting.chance import copied as _value
from pipedoctor.frameworks.fitting.chance import random_states
from pipedoctor.frameworks.fitting.library import of_model

HELD = (
    *second.HELD,
    "_compile_loss",
    "_compile_metrics",
    "compute_metrics",
    "predict_function",
    "stop_training",
    "test_function",
    "train_function",
)
"""What a step may put in another's place, or we for the time of one."""


MARKS = ("_called", "_loss_ids", "_losses", "_losses_override", "_metrics")
"""What a call of a layer leaves behind in it: flags, and what it lists."""


def variables(model: Any) -> list[Any]:
    """Return all variables of a model: weights, states, those of metrics and of the optimizer."""
    found: list[Any] = list(model.variables)
    library = of_model(model)
    if library.second:
        found += second.states(model)
    found += list(getattr(model, "metrics_variables", ()))
    for optimizer in optimizers(model):
        found += second_step.state(optimizer)
    for metric in own_metrics(model):
        found += list(metric.variables)
    return list({id(one): one for one in found}.values())


def optimizers(model: Any) -> list[Any]:
    """Return the optimizers that a model or its layers hold: that of compile, and all others."""
    library = of_model(model)
    if library.second:
        return second.optimizers(model, library)
    base = library.module("optimizers.base_optimizer").BaseOptimizer
    found, seen = list[Any](), set[int]()

    def search(value: Any) -> None:
        if not isinstance(value, (base, dict, list, tuple)) or id(value) in seen:
            return
        seen.add(id(value))
        if isinstance(value, base):
            found.append(value)
            held = vars(value)  # some hold others: that which scales the loss, or several
        else:
            held = value
        for one in held.values() if isinstance(held, dict) else held:
            search(one)

    for layer in model._flatten_layers():  # noqa: SLF001 - Keras has no public way to all layers
        for value in list(vars(layer).values()):
            search(value)
    return found


def own_metrics(model: Any) -> list[Any]:
    """Return the metric objects that compile was given, which it does not count as built yet."""
    library, held = of_model(model), getattr(model, "_compile_metrics", None)
    if library.second:
        return second.own_metrics(model, library)
    given = [getattr(held, f"_user_{name}", None) for name in ("metrics", "weighted_metrics")]
    kind = library.top.metrics.Metric
    return [one for one in library.flat(given) if isinstance(one, kind)]


@contextmanager
def untouched(model: Any, *, written: bool = True) -> Iterator[list[tuple[Any, Any]]]:
    """
    Put every variable of the model back at the end, the random states, and its functions.

    The loss and the metrics of compile have doubles meanwhile: they are built by their first use,
    and that is left to fit. Yielded are the variables with what they held. If nothing is
    `written`, as by a call on symbols, they are not copied.

    Raises:
        Unavailable: There is no room for the copies.

    """
    held_now = variables(model)
    if written and of_model(model).backend != "jax":  # whose arrays never change
        room.demand(held_now, "a copy of the weights, to put them back from")
    before = [(one, _value(one)) for one in held_now if written]
    known = {id(one) for one in held_now}
    held = {name: vars(model)[name] for name in HELD if name in vars(model)}
    marks = _marks(model)
    vars(model).update(doubles(model))
    with random_states(), _gradients(model):
        try:
            yield before
        finally:
            vars(model).update({name: held[name] for name in HELD if name in held})
            for metric in own_metrics(model):
                if any(id(variable) not in known for variable in metric.variables):
                    metric.reset_state()  # it was built just now, and is as new
            for variable, value in before:
                variable.assign(value)
            for name in HELD:
                if name not in held:
                    vars(model).pop(name, None)
            for layer, marked in marks:
                _mark(layer, marked)


def doubles(model: Any) -> dict[str, Any]:
    """Return the loss and the metrics of compile anew, as they were before their first use."""
    library = of_model(model)
    if library.second:
        return second.doubles(model, library)
    utils = library.module("trainers.compile_utils")
    names = getattr(model, "output_names", None)
    found: dict[str, Any] = {}
    held: dict[str, Any] = {
        name: vars(model).get(f"_compile_{name}") for name in ("loss", "metrics")
    }
    loss, metrics = held["loss"], held["metrics"]
    if type(loss) is utils.CompileLoss:
        found["_compile_loss"] = utils.CompileLoss(
            loss._user_loss,  # noqa: SLF001 - what compile was given is kept nowhere else
            loss._user_loss_weights,  # noqa: SLF001 - likewise
            output_names=names,
        )
    if type(metrics) is utils.CompileMetrics:
        found["_compile_metrics"] = utils.CompileMetrics(
            metrics._user_metrics,  # noqa: SLF001 - likewise
            metrics._user_weighted_metrics,  # noqa: SLF001 - likewise
            output_names=names,
        )
    return found


def _marks(model: Any) -> list[tuple[Any, dict[str, Any]]]:
    """Return all layers, each with what a call leaves behind in it besides its variables."""
    return [
        (layer, {name: copy(vars(layer)[name]) for name in MARKS if name in vars(layer)})
        for layer in model._flatten_layers()  # noqa: SLF001 - Keras has no public way to all layers
    ]


def _mark(layer: Any, marked: dict[str, Any]) -> None:
    """Put back what a call left behind; lists stay the same objects, which Keras watches."""
    for name, value in marked.items():
        held = vars(layer)[name]
        if isinstance(held, list):
            held[:] = value
        elif isinstance(held, set):
            held.clear()
            held.update(value)
        else:
            vars(layer)[name] = value


@contextmanager
def _gradients(model: Any) -> Iterator[None]:
    """Put the gradients of torch's parameters back, where torch computes."""
    library = of_model(model)
    if library.backend != "torch":
        yield
        return
    values = [variable.value for variable in model.trainable_variables]
    before = [value.grad for value in values]
    training = model.training
    try:
        yield
    finally:
        for value, grad in zip(values, before, strict=True):
            value.grad = grad
        if model.training is not training:
            model.train(training)
