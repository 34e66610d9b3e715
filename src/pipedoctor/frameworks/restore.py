"""Leaving things as they were: random states, and all that a forward pass touches."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


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
    """
    Run a model for evaluation, and leave it bit for bit as it was.

    Put back are the mode of each module, the buffers, and the entries of its config: the models
    of transformers write the problem type into it at the first batch.
    """
    modes = [(module, module.training) for module in model.modules()]
    buffers = [
        (module, name, buffer, None if buffer is None else buffer.detach().clone())
        for module in model.modules()
        for name, buffer in module._buffers.items()  # noqa: SLF001 - those that are not saved too
    ]
    config = getattr(model, "config", None)
    entries = dict(vars(config)) if hasattr(config, "__dict__") else None
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
        for module, name, buffer, copy in buffers:
            module._buffers[name] = buffer  # noqa: SLF001 - it may have been replaced
            if buffer is not None and copy is not None:
                _put_back(buffer, copy)
        if entries is not None and config is not None:
            vars(config).clear()
            vars(config).update(entries)


def _put_back(buffer: Any, copy: Any) -> None:
    import torch

    if not torch.equal(buffer, copy):  # NaN is never equal, and is put back then
        with torch.no_grad():
            buffer.copy_(copy)
