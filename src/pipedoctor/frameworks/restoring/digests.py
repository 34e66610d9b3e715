"""One digest of all that training steps change, so that it can be proved to be as it was."""

from __future__ import annotations

import hashlib
import random
import sys
from collections.abc import Iterator
from typing import Any


def digest(model: Any, *optimizers: Any) -> str:
    """
    Return the SHA-256 of weights, buffers, gradients, modes, optimizers and random states.

    The buffers that no checkpoint holds are among them. Tensors count by their bytes.
    """
    told = hashlib.sha256()
    for name, value in (*_of_model(model), *_of_optimizers(optimizers), *_random_states()):
        told.update(name.encode())
        if hasattr(value, "detach"):
            _add(told, value)
        else:
            told.update(repr(value).encode())
    return told.hexdigest()


def _add(told: Any, tensor: Any) -> None:
    import torch

    told.update(f"{tuple(tensor.shape)} {tensor.dtype} {tensor.requires_grad}".encode())
    if tensor.layout is not torch.strided or tensor.is_meta:
        return
    try:
        raw = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
    except (RuntimeError, NotImplementedError):  # a type of its own, such as a quantised one
        return
    told.update(raw.numpy().data)


def _of_model(model: Any) -> Iterator[tuple[str, Any]]:
    for name, parameter in model.named_parameters():
        yield name, parameter
        yield f"{name} gradient", parameter.grad
    yield from model.named_buffers()
    for name, module in model.named_modules():
        yield f"{name} mode", module.training


def _of_optimizers(optimizers: tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            yield from ((f"group {key}", v) for key, v in group.items() if key != "params")
            for parameter in group["params"]:
                state = optimizer.state.get(parameter, {})
                yield from ((f"state {key}", value) for key, value in state.items())


def _random_states() -> Iterator[tuple[str, Any]]:
    import torch

    yield "torch", torch.get_rng_state()
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        yield from (("cuda", state) for state in torch.cuda.get_rng_state_all())
    yield "python", random.getstate()
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        _, keys, *others = numpy.random.get_state()
        yield "numpy", (keys.tobytes(), others)
