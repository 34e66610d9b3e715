"""The random states of a fit of Keras, put back after something was drawn."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from pipedoctor.frameworks.fitting.library import NAMES
from pipedoctor.frameworks.restoring import restore

GLOBAL = "global_seed_generator"
"""Under this name Keras keeps the generator of what is drawn without a seed."""


@contextmanager
def random_states() -> Iterator[None]:
    """
    Put the random states of Python, numpy, torch, tensorflow and Keras back at the end.

    What Keras warns of meanwhile it will warn of again, when fit is really called.
    """
    with ExitStack() as stack:
        stack.enter_context(restore.random_states())
        stack.enter_context(_of_tensorflow())
        for name in NAMES:
            stack.enter_context(_of_keras(name))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _of_keras(name: str) -> Iterator[None]:
    """Put back the generator that Keras draws from where no seed is given."""
    held = sys.modules.get(f"{name}.src.backend.common.global_state")
    if held is None:
        yield
        return
    before = held.get_global_attribute(GLOBAL)
    state = copied(before.state) if before is not None else None
    try:
        yield
    finally:
        if before is not None:
            before.state.assign(state)
        held.set_global_attribute(GLOBAL, before)


@contextmanager
def _of_tensorflow() -> Iterator[None]:
    """Put back the global generator of tensorflow, and what gives its operations their seeds."""
    eager = sys.modules.get("tensorflow.python.eager.context")
    drawing = sys.modules.get("tensorflow.python.ops.stateful_random_ops")
    seeds: Any = getattr(eager.context(), "_rng", None) if eager is not None else None
    seeds_state = seeds.getstate() if seeds is not None else None
    before: Any = getattr(drawing, "global_generator", None)
    state = before.state.read_value() if before is not None else None
    try:
        yield
    finally:
        if seeds is not None:
            seeds.setstate(seeds_state)
        if before is not None:
            before.state.assign(state)
        if drawing is not None:
            vars(drawing)["global_generator"] = before


def copied(variable: Any) -> Any:
    """Return a copy of what a variable of Keras holds."""
    import numpy as np

    value = variable.value
    if hasattr(value, "detach"):
        return value.detach().clone()
    if type(value).__module__.startswith("jax"):
        return value  # never changes: a variable is given another one
    if hasattr(value, "read_value"):
        return value.read_value()
    return np.array(value)
