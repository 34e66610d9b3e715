"""Leaving things as they were: random states, and all that a forward pass touches."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipedoctor.frameworks.restoring.snapshot import untouched


@contextmanager
def random_states() -> Iterator[None]:
    """Put the random states of Python, numpy and torch (CUDA too) back at the end."""
    python = random.getstate()
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    numpy_state = numpy.random.get_state() if numpy is not None else None
    torch_state = torch.get_rng_state() if torch is not None else None
    cuda = torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized()
    cuda_states = torch.cuda.get_rng_state_all() if cuda and torch is not None else None
    try:
        yield
    finally:
        random.setstate(python)
        if numpy is not None:
            numpy.random.set_state(numpy_state)
        if torch is not None:
            torch.set_rng_state(torch_state)
            if cuda_states is not None:
                torch.cuda.set_rng_state_all(cuda_states)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Work with random states that follow from a seed, as a script's `set_seed` makes them."""
    import numpy as np
    import torch

    with random_states():
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 - the state that scripts seed
        # Not torch.manual_seed: that would seed the GPUs too, even those not in use yet.
        torch.default_generator.manual_seed(seed)
        yield


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Run a model for evaluation, and leave it bit for bit as it was."""
    with untouched(model):
        model.eval()
        yield


@contextmanager
def training(model: Any) -> Iterator[None]:
    """Run a model for training, as a training step does, and leave it bit for bit as it was."""
    with untouched(model):
        model.train()
        yield
