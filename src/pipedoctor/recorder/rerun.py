"""Making a model what it was when a step was recorded: its weights, modes and precision."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from pipedoctor.recorder.capsule import Capsule, CapsuleError


def prepare(capsule: Capsule, model: Any) -> None:
    """Give a model the weights, modes and gradients switches that the recorded one had."""
    import torch

    own = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    wrong = sorted(own.keys() ^ capsule.weights.keys())
    if wrong:
        where = "the model" if wrong[0] in own else "the capsule"
        raise CapsuleError(
            f"{len(wrong)} names differ between the model and the capsule's {capsule.model}: "
            f"only {where} has {wrong[0]}"
        )
    for name, tensor in own.items():
        if tensor.shape != capsule.weights[name].shape:
            raise CapsuleError(
                f"{name} is {tuple(tensor.shape)} in the model and "
                f"{tuple(capsule.weights[name].shape)} in the capsule"
            )
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(capsule.weights[name])
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name not in capsule.frozen)
        parameter.grad = None
    model.train()
    for name, module in model.named_modules():
        if name in capsule.evaluating:
            module.training = False


@contextmanager
def half_precision(half: str, model: Any) -> Iterator[None]:
    """Run in the mixed precision that a pass was recorded in."""
    import torch

    kind = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(half)
    device = next((p.device.type for p in model.parameters()), "cpu")
    with ExitStack() as stack:
        if kind is not None:
            stack.enter_context(torch.autocast(device, kind))
        yield
