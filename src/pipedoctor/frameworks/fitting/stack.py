"""The layers of a model, with their weights in a few numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from pipedoctor.facts.layers import Layer, Layers, Weight
from pipedoctor.frameworks.fitting import places, second
from pipedoctor.frameworks.fitting.building import Ready
from pipedoctor.frameworks.fitting.library import (
    inputs_of,
    maker,
    of,
    own,
    path_of,
    plain,
    to_numpy,
    value_of,
)
from pipedoctor.pipeline import Pipeline

MOST_ELEMENTS = 20_000_000
"""Larger weights are told by their shape only: to look at each element takes as long as a step."""

TOLD = frozenset({"activation", "build_config", "dtype", "name", "trainable", "units", "filters"})
"""What of a configuration has a field of its own, or says nothing."""


def describe(pipeline: Pipeline) -> Layers:
    """Say what each layer is."""
    ready = pipeline.fact(Ready)
    part = ready.model
    site = places.site(pipeline, "model")
    return Layers(
        model=type(part).__name__,
        form=form(part),
        layers=tuple(_layer(pipeline, layer, path) for layer, path in leaves(part)),
        policy=str(part.dtype_policy.name),
        built=ready.built,
        trainable=bool(part.trainable),
        **({} if site is None else {"where": site.place}),
    )


def form(part: Any) -> str:
    """Return which of the three ways a model is put together in."""
    names = {base.__name__ for base in type(part).__mro__}
    if "Sequential" in names:
        return "Sequential"
    return "Functional" if "Functional" in names else "subclassed"


def leaves(part: Any) -> Iterator[tuple[Any, str]]:
    """Yield the layers that hold no others, each once, with the path to each."""
    seen: set[int] = set()

    def walk(layer: Any, path: str) -> Iterator[tuple[Any, str]]:
        for inner in inside(layer):
            if id(inner) in seen:
                continue
            seen.add(id(inner))
            name = f"{path}/{inner.name}" if path else inner.name
            held = [one for one in inside(inner) if of(one) is not None]
            if held and not _has_own_weights(inner):
                yield from walk(inner, name)
            else:
                yield inner, name

    yield from walk(part, "")


def inside(layer: Any) -> list[Any]:
    """Return the layers that a layer holds."""
    library = of(layer)
    if library is not None and library.second:
        return second.children(layer)
    return list(getattr(layer, "_layers", ()))


def _has_own_weights(layer: Any) -> bool:
    """Whether a layer with others inside is to be told as one: Bidirectional, attention, cells."""
    borrowed = type(layer).__module__.startswith("transformers.")
    return not own(type(layer)) and not borrowed and not hasattr(layer, "fit")


def _layer(pipeline: Pipeline, layer: Any, path: str) -> Layer:
    config = settings(layer)
    weights = tuple(_weight(one) for one in layer.weights) if layer.built else ()
    return Layer(
        name=layer.name,
        path=path,
        kind=type(layer).__name__,
        own=own(type(layer)),
        activation=activation(layer),
        units=units(layer),
        trainable=bool(layer.trainable),
        compute_dtype=str(layer.compute_dtype),
        variable_dtype=str(layer.variable_dtype),
        parameters=sum(math.prod(one.shape) for one in weights),
        inputs=_inputs(layer),
        output_shape=_shape(layer),
        settings=config,
        weights=weights,
        where=places.at(pipeline, layer, "activation"),
    )


def settings(layer: Any) -> dict[str, Any]:
    """Return the plain figures of a layer's configuration."""
    try:
        config = dict(layer.get_config())
    except Exception:  # noqa: BLE001 - a layer of the user's own need not have one
        return {}
    figures = {name: plain(value) for name, value in config.items() if name not in TOLD}
    return {name: value for name, value in figures.items() if value is not None}


def activation(layer: Any) -> str | None:
    """Return the name of the activation of a layer; None where it can have none."""
    kind = type(layer).__name__
    if kind in ACTIVATIONS:
        return ACTIVATIONS[kind]
    function = getattr(layer, "activation", None)
    if function is None:
        return None
    return str(getattr(function, "__name__", type(function).__name__)).lower()


ACTIVATIONS = {
    "ELU": "elu",
    "LeakyReLU": "leaky_relu",
    "PReLU": "prelu",
    "ReLU": "relu",
    "Softmax": "softmax",
}
"""The layers that are activations."""


def units(layer: Any) -> int | None:
    """Return how many outputs a layer has for each row, as it was told."""
    for name in ("units", "filters", "output_dim"):
        value = getattr(layer, name, None)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None


def _inputs(layer: Any) -> tuple[str, ...]:
    """Return the names of the layers whose outputs go into this one."""
    names: list[str] = []
    for node in getattr(layer, "_inbound_nodes", ()):
        for tensor in inputs_of(node):
            history = getattr(tensor, "_keras_history", None)
            if history is not None and maker(history) is not layer:
                names.append(maker(history).name)
    return tuple(dict.fromkeys(names))


def _shape(layer: Any) -> tuple[int | None, ...] | None:
    try:
        shape = layer.output.shape
    except Exception:  # noqa: BLE001 - of a layer that was not called on a symbol, or on several
        return None
    return tuple(None if size is None else int(size) for size in shape)


def _weight(variable: Any) -> Weight:
    import numpy as np

    shape = tuple(int(size) for size in variable.shape)
    known: dict[str, Any] = {
        "name": path_of(variable).rpartition("/")[2],
        "shape": shape,
        "dtype": str(getattr(variable.dtype, "name", variable.dtype)),
        "trainable": bool(variable.trainable),
    }
    array = to_numpy(value_of(variable)) if math.prod(shape) <= MOST_ELEMENTS else None
    if array is None or array.dtype.kind not in "biuf" or not array.size:
        return Weight(**known)
    numbers = array.astype("float64") if array.dtype.kind != "f" else array
    finite = numbers[np.isfinite(numbers)] if not np.isfinite(numbers).all() else numbers
    if finite.size:
        known["mean"], known["std"] = float(finite.mean()), float(finite.std())
        known["minimum"], known["maximum"] = float(finite.min()), float(finite.max())
    if array.ndim > 1:
        columns = numbers.reshape(-1, shape[-1])
        known["alike"] = int((columns == columns[:, :1]).all(axis=0).sum())
    return Weight(not_finite=int(numbers.size - finite.size), **known)
