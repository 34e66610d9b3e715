"""Gradient checkpointing: switched on as Trainer does, and watched while it works."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pipedoctor.facts.settings import Settings

NAMES = ("activation_checkpointing", "gradient_checkpointing")
"""What the switch is called, the newer name first."""


@dataclass
class Segments:
    """
    What reentrant checkpointing ran, as it was watched.

    `ran` counts the segments; `cut` holds the modules of those in which no input needed a
    gradient, so that nothing within gets one (None for a function that names no module).
    """

    ran: int = 0
    cut: list[Any] = field(default_factory=list)


def enable(model: Any, settings: Settings | None) -> bool:
    """
    Switch checkpointing on if the run has it, as Trainer does when its training starts.

    To be used only where the model is put back afterwards. Returns whether it is on.
    """
    if settings is None or not any(settings.get(name) is True for name in NAMES):
        return any(getattr(module, "gradient_checkpointing", False) for module in model.modules())
    words = next((w for n in NAMES if (w := settings.get(f"{n}_kwargs")) is not None), None)
    words = dict(words) if isinstance(words, dict) else None
    if hasattr(model, "activation_checkpointing_enable"):
        apart = {n: words.pop(n) for n in ("every_n_layers", "offload") if words and n in words}
        model.activation_checkpointing_enable(
            activation_checkpointing_kwargs=words or None, **apart
        )
    else:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs=words)
    return True


@contextmanager
def watched() -> Iterator[Segments]:
    """Watch which segments run with reentrant checkpointing, and which of them it cuts off."""
    import warnings

    import torch
    from torch.utils.checkpoint import CheckpointFunction

    seen = Segments()
    apply = CheckpointFunction.apply

    def counted(function: Any, preserve: Any, *inputs: Any) -> Any:
        seen.ran += 1
        tensors = [value for value in inputs if isinstance(value, torch.Tensor)]
        if torch.is_grad_enabled() and not any(value.requires_grad for value in tensors):
            seen.cut.append(_module(function))
        return apply(function, preserve, *inputs)

    CheckpointFunction.apply = staticmethod(counted)
    try:
        with warnings.catch_warnings():
            # What torch warns of here is what the report says, with names.
            warnings.filterwarnings("ignore", message="None of the inputs have requires_grad")
            yield seen
    finally:
        del CheckpointFunction.apply  # what it inherits is back in its place


def _module(function: Any) -> Any:
    """Return the module that a checkpointed function belongs to."""
    import functools

    import torch

    while isinstance(function, functools.partial):
        first = function.args[0] if function.args else None
        if isinstance(first, torch.nn.Module):
            return first
        function = function.func
    owner = getattr(function, "__self__", function)
    return owner if isinstance(owner, torch.nn.Module) else None
