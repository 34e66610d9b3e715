"""Random states as tensors, to be kept in memory, written to a file and put back."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

PYTHON, NUMPY, TORCH, CUDA = "python", "numpy", "torch", "cuda"


def taken() -> dict[str, Any]:
    """
    Return the random states of Python, numpy, torch and, where it is in use, the current GPU.

    Each is cheap to take (some ten microseconds) and an object of its own.
    """
    import numpy as np
    import torch

    states: dict[str, Any] = {
        PYTHON: random.getstate(),
        NUMPY: np.random.get_state(legacy=True),  # noqa: NPY002 - the state that data code draws from
        TORCH: torch.get_rng_state(),
    }
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        states[CUDA] = torch.cuda.get_rng_state()
    return states


def put_back(states: Mapping[str, Any]) -> None:
    """Put back what `taken` returned."""
    import numpy as np
    import torch

    random.setstate(states[PYTHON])
    np.random.set_state(states[NUMPY])  # noqa: NPY002 - as above
    torch.set_rng_state(states[TORCH])
    if CUDA in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states[CUDA])


def packed(states: Mapping[str, Any]) -> dict[str, Any]:
    """Return the states as tensors by name, for a file that holds nothing but tensors."""
    import torch

    version, words, gauss = states[PYTHON]
    kind, keys, position, has_gauss, cached = states[NUMPY]
    if kind != "MT19937":
        raise ValueError(f"numpy's random state is {kind}, which is none that is known here")
    tensors = {
        "python": torch.tensor([version, *words], dtype=torch.int64),
        "python.gauss": torch.tensor([] if gauss is None else [gauss], dtype=torch.float64),
        "numpy.keys": torch.tensor(keys.astype("int64")),
        "numpy.position": torch.tensor([position, has_gauss], dtype=torch.int64),
        "numpy.gauss": torch.tensor([cached], dtype=torch.float64),
        "torch": states[TORCH],
    }
    if CUDA in states:
        tensors["cuda"] = states[CUDA]
    return tensors


def unpacked(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `packed` was given."""
    version, *words = tensors["python"].tolist()
    gauss = tensors["python.gauss"].tolist()
    position, has_gauss = tensors["numpy.position"].tolist()
    keys = tensors["numpy.keys"].numpy().astype("uint32")
    states: dict[str, Any] = {
        PYTHON: (version, tuple(words), gauss[0] if gauss else None),
        NUMPY: ("MT19937", keys, position, has_gauss, tensors["numpy.gauss"].item()),
        TORCH: tensors["torch"],
    }
    if "cuda" in tensors:
        states[CUDA] = tensors["cuda"]
    return states
