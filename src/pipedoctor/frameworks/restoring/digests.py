"""One digest of all that training steps change, so that it can be proved to be as it was."""

from __future__ import annotations

import hashlib
import random
import sys
from typing import Any


def digest(model: Any, *optimizers: Any) -> str:
    """
    Return the SHA-256 of weights, buffers, gradients, modes, optimizers and random states.

    The buffers that no checkpoint holds are among them. Tensors count by their bytes.
    """
    import torch

    told = hashlib.sha256()

    def add(name: str, value: Any) -> None:
        told.update(name.encode())
        if isinstance(value, torch.Tensor):
            told.update(f"{tuple(value.shape)} {value.dtype} {value.requires_grad}".encode())
            if value.layout is not torch.strided or value.is_meta:
                return
            try:
                raw = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
            except (RuntimeError, NotImplementedError):  # a type of its own, such as a quantised one
                return
            told.update(raw.numpy().data)
        else:
            told.update(repr(value).encode())

    for name, parameter in model.named_parameters():
        add(name, parameter)
        add(f"{name} gradient", parameter.grad)
    for name, buffer in model.named_buffers():
        add(name, buffer)
    for name, module in model.named_modules():
        add(f"{name} mode", module.training)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            for key, value in group.items():
                if key != "params":
                    add(f"group {key}", value)
            for parameter in group["params"]:
                for key, value in optimizer.state.get(parameter, {}).items():
                    add(f"state {key}", value)
    add("torch", torch.get_rng_state())
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        for state in torch.cuda.get_rng_state_all():
            add("cuda", state)
    add("python", random.getstate())
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        _, keys, *others = numpy.random.get_state()
        add("numpy", (keys.tobytes(), others))
    return told.hexdigest()
