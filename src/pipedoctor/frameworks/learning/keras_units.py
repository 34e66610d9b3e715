"""Layers of Keras whose units are 0 for every row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipedoctor.frameworks.fitting.library import Library, to_numpy
from pipedoctor.frameworks.fitting.watching import Called, watched

DEAD = 0.9
"""The share of units from which on a layer counts as dead: of a new one, half are 0 for a row."""


def dead(library: Library, answer: Callable[[], Any]) -> dict[str, tuple[int, int]]:
    """Return the first layer with a ReLU most units of which are 0, as their input is below 0."""
    with watched(library) as called:
        answer()
    for one in called:
        found = _dead(one)
        if found is not None and _below_zero(library, one, answer):
            return {one.layer.name: found}
    return {}


def _dead(one: Called) -> tuple[int, int] | None:
    array = to_numpy(one.outputs[0]) if _rectified(one.layer) and len(one.outputs) == 1 else None
    if array is None or array.ndim < 2 or len(array) < 2:
        return None
    first = getattr(one.layer, "data_format", "") == "channels_first"
    channel = 1 if first else array.ndim - 1
    others = tuple(axis for axis in range(array.ndim) if axis != channel)
    units = int(array.shape[channel])
    number = int((array == 0).all(axis=others).sum())
    return (number, units) if number > DEAD * units else None


def _rectified(layer: Any) -> bool:
    name = getattr(getattr(layer, "activation", None), "__name__", "")
    slope = getattr(layer, "negative_slope", 0.0)
    return name == "relu" or (type(layer).__name__ == "ReLU" and not slope)


def _below_zero(library: Library, one: Called, answer: Callable[[], Any]) -> bool:
    """Whether what the ReLU is given is somewhere below 0: a dead layer, not a lost one."""
    if type(one.layer).__name__ == "ReLU":
        return bool((to_numpy(one.inputs[0]) < 0).any())
    held = vars(one.layer)["activation"]
    vars(one.layer)["activation"] = lambda x: x
    try:
        with watched(library) as called:
            answer()
    finally:
        vars(one.layer)["activation"] = held
    found = next((again for again in called if again.layer is one.layer), None)
    return found is not None and bool((to_numpy(found.outputs[0]) < 0).any())
