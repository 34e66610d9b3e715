"""What other instruments say of a training's memory: accelerate's arithmetic, torch's MemTracker."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from memory_cases import batch

STEPS = 2


def accelerates(model: Any) -> int:
    """Return what accelerate says that training takes: the largest figure, as its table has it."""
    import torch
    from accelerate.commands.estimate import estimate_training_usage
    from accelerate.utils import calculate_maximum_sizes

    size, _ = calculate_maximum_sizes(model.to(torch.float32))
    return int(max(estimate_training_usage(size, "float32").values()))


def optimizer(name: str, trained: list[Any]) -> Any:
    """Return a real optimizer of a name that `optim` has."""
    import torch

    if name == "sgd":
        return torch.optim.SGD(trained, lr=1e-3)
    if name == "adafactor":
        from transformers.optimization import Adafactor

        return Adafactor(trained, lr=1e-3, scale_parameter=False, relative_step=False)
    return torch.optim.AdamW(trained, fused=name == "adamw_torch_fused")


def tracked(
    make: Callable[[], Any], rows: int, length: int, settings: Mapping[str, Any]
) -> int | None:
    """
    Return the peak of torch's own MemTracker, gone through with tensors without values.

    None where it can't go through the step, or is not tried: autocast, accumulation.
    """
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.distributed._tools.mem_tracker import MemTracker

    if {"bf16", "gradient_accumulation_steps"} & set(settings):
        return None
    try:
        with FakeTensorMode(allow_non_fake_inputs=True):
            model = make().train()
            if settings.get("gradient_checkpointing"):
                model.gradient_checkpointing_enable()
            trained = [p for p in model.parameters() if p.requires_grad]
            steps = optimizer(str(settings.get("optim", "adamw_torch")), trained)
            inputs = batch(model, rows, length)
            tracker = MemTracker()
            tracker.track_external(model, steps)
            with tracker:
                for _ in range(STEPS):
                    model(**inputs).loss.backward()
                    steps.step()
                    steps.zero_grad()
                    tracker.reset_mod_stats()  # it takes one step at a time
        told = tracker.get_tracker_snapshot("peak")
        return max(int(kinds["Total"]) for kinds in told.values())
    except Exception as error:  # noqa: BLE001 - it is only measured beside, and it may raise anything
        print(f"    MemTracker: {type(error).__name__}: {str(error)[:80]}", file=sys.stderr)
        return None
