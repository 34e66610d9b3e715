"""What `compile` made of a model: its optimizer, the loss of each output, the names of metrics."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from pipedoctor.fact import UNKNOWN, Unavailable, unknown
from pipedoctor.facts.compiled import Compiled
from pipedoctor.finding import NOWHERE, Location
from pipedoctor.frameworks.fitting import borrowed, places
from pipedoctor.frameworks.fitting.building import model
from pipedoctor.frameworks.fitting.library import (
    config_of,
    figure,
    is_compiled,
    is_figure,
    of_model,
    overridden,
)
from pipedoctor.frameworks.fitting.objectives import measured
from pipedoctor.pipeline import Pipeline

NOT_COMPILED = "the model is not compiled: call compile() on it before fit"


def describe(pipeline: Pipeline) -> Compiled:
    """
    Say how the model is compiled.

    Raises:
        Unavailable: It is not.

    """
    part, library = model(pipeline)
    if not is_compiled(part):
        if "train_data" in pipeline.parts and library.second:
            part._assert_compile_was_called()  # noqa: SLF001 - as below
        if "train_data" in pipeline.parts and hasattr(part, "_assert_compile_called"):
            part._assert_compile_called("fit")  # noqa: SLF001 - fit begins with it, and so it ends there
        raise Unavailable(NOT_COMPILED)
    losses, metrics, kinds = measured(pipeline, part, library)
    site = places.site(pipeline, "compile")
    return Compiled(
        library=library.name,
        version=library.version,
        backend=library.backend,
        losses=losses,
        own_losses=_own_losses(part),
        metrics=metrics,
        metric_kinds=kinds,
        own_train_step=overridden(part, "train_step"),
        own_test_step=overridden(part, "test_step"),
        own_compute_loss=overridden(part, "compute_loss"),
        lender="transformers" if borrowed.is_one(part) else "",
        pretrained=borrowed.origin(part),
        jit_compile=bool(part.jit_compile),
        run_eagerly=bool(part.run_eagerly),
        steps_per_execution=int(getattr(part, "steps_per_execution", 1) or 1),
        where=site.place if site is not None else NOWHERE,
        places=_places(pipeline, part, site.keywords if site is not None else {}),
        **_optimizer(part),
    )


def _optimizer(part: Any) -> dict[str, Any]:
    """Return what is told of the optimizer under the names of the fact."""
    optimizer = part.optimizer
    if optimizer is None:
        return {"optimizer": unknown("compile was given no optimizer")}
    scaling = type(optimizer).__name__.startswith("LossScaleOptimizer")
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    told: dict[str, Any] = {
        "optimizer": type(inner).__name__,
        "optimizer_by_name": by_defaults(inner),
        "loss_scaling": scaling,
        "hyper": {
            name: value
            for name, value in config_of(inner).items()
            if name not in {"name", "learning_rate"} and is_figure(value)
        },
    }
    rate = rate_of(inner)
    if hasattr(rate, "get_config") and callable(rate):
        told["schedule"] = type(rate).__name__
        told["schedule_parameters"] = {
            name: value for name, value in config_of(rate).items() if is_figure(value)
        }
        value = figure(rate(0))
    else:
        value = figure(getattr(inner, "learning_rate", None))
    told["learning_rate"] = UNKNOWN if value is None else value
    return told


def rate_of(optimizer: Any) -> Any:
    """Return the rate of an optimizer, or the schedule of it, as the optimizer keeps it."""
    held = getattr(optimizer, "_hyper", None) or {}  # those of before 2.11
    return held.get("learning_rate", getattr(optimizer, "_learning_rate", None))


def by_defaults(optimizer: Any) -> bool:
    """Whether all figures of an optimizer are those it has where none is stated."""
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(type(optimizer).__init__).parameters.items()
        if parameter.default is not parameter.empty and name not in {"name", "jit_compile"}
    }
    held = config_of(optimizer)
    for name, default in defaults.items():
        value = held.get(name, default)
        if default not in (value, figure(value)):
            return False
    return bool(held)


def _own_losses(part: Any) -> int:
    """Count the terms that layers add: those of regularizers, known before anything is called."""
    library = of_model(part)
    if library.second:
        return len(part.losses) if part.built else 0
    return sum(
        1
        for variable in part.trainable_variables
        if getattr(variable, "regularizer", None) is not None
    )


def _places(
    pipeline: Pipeline, part: Any, keywords: Mapping[str, Location]
) -> dict[str, Location]:
    """Return where each argument is stated: in compile, or where the optimizer was made."""
    found = dict(keywords)
    optimizer = getattr(part, "optimizer", None)
    site = places.made(pipeline, getattr(optimizer, "inner_optimizer", optimizer))
    if site is not None and site.place != getattr(places.site(pipeline, "compile"), "place", None):
        found |= {"optimizer": site.place, **site.keywords}
        found.setdefault("learning_rate", site.where("learning_rate"))
    elif "optimizer" in found:
        found.setdefault("learning_rate", found["optimizer"])
    return found
