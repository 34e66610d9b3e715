"""What is to stay as it was: every variable of a model of Keras, and the random states."""

from __future__ import annotations

import hashlib
import random
from typing import Any

import numpy as np
from keras_fits import BACKEND, keras


def states(model: Any) -> dict[str, str]:
    """Return a hash of every variable: weights, states, metrics, optimizer."""
    held = [*model.variables, *model.metrics_variables, *model.optimizer.variables]
    return {
        f"{place} {one.path}": hashlib.sha256(
            np.ascontiguousarray(keras.ops.convert_to_numpy(one)).tobytes()
        ).hexdigest()
        for place, one in enumerate(held)
    }


def random_state() -> tuple[Any, ...]:
    found = [random.getstate(), np.random.get_state()[1].tobytes()]  # noqa: NPY002 - the state that scripts seed
    if BACKEND == "torch":
        import torch

        found.append(torch.get_rng_state().numpy().tobytes())
    return tuple(found)
