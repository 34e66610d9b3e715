"""What a training of Keras changes besides its variables: rates of dropout; and a digest of all."""

from __future__ import annotations

import hashlib
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipedoctor.frameworks.fitting.library import dtype_of, path_of, stored, to_numpy
from pipedoctor.frameworks.fitting.second_step import is_built
from pipedoctor.frameworks.fitting.untouched import optimizers, variables


def digest(model: Any) -> str:
    """
    Return the SHA-256 of all that training changes.

    That is the weights, the states of layers and of seeds, metrics, optimizers, flags, and random
    states.
    """
    told = hashlib.sha256()
    for variable in variables(model):
        array = to_numpy(stored(variable))
        told.update(f"{path_of(variable)} {dtype_of(variable)} {variable.trainable}".encode())
        told.update(repr(None if array is None else array.shape).encode())
        told.update(b"" if array is None else array.tobytes())
    for layer in model._flatten_layers():  # noqa: SLF001 - Keras has no public way to all layers
        told.update(repr((layer.name, layer.trainable, sorted(_rates(layer).items()))).encode())
    for optimizer in optimizers(model):
        told.update(repr((type(optimizer).__name__, is_built(optimizer))).encode())
    for name, state in _random_states():
        told.update(f"{name} {state!r}".encode())
    return told.hexdigest()


def _random_states() -> Iterator[tuple[str, Any]]:
    yield "python", random.getstate()
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy is not None:
        _, keys, *others = numpy.random.get_state()
        yield "numpy", (keys.tobytes(), others)
    if torch is not None:
        yield "torch", torch.get_rng_state().numpy().tobytes()


def _rates(layer: Any) -> dict[str, float]:
    """Return the attributes of a layer that say how much it drops."""
    drops = "drop" in type(layer).__name__.lower()
    return {
        name: value
        for name, value in vars(layer).items()
        if type(value) is float
        and (("dropout" in name) or (drops and name in {"rate", "drop_prob", "drop_rate"}))
    }


@contextmanager
def without_dropout(model: Any) -> Iterator[bool]:
    """Have no layer drop anything meanwhile; tell whether any would have."""
    before = [(layer, _rates(layer)) for layer in model._flatten_layers()]  # noqa: SLF001 - as above
    for layer, rates in before:
        vars(layer).update(dict.fromkeys(rates, 0.0))
    try:
        yield any(any(rates.values()) for _, rates in before)
    finally:
        for layer, rates in before:
            vars(layer).update(rates)
