"""One step of the optimizer, taken to see which weights change by it, and undone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipedoctor.fact import Split, Unavailable
from pipedoctor.facts.settings import Settings
from pipedoctor.facts.updates import Updates
from pipedoctor.frameworks.data.batches import Batches
from pipedoctor.frameworks.data.feeding import take_pad_token
from pipedoctor.frameworks.restoring.restore import random_states, training
from pipedoctor.frameworks.restoring.stepping import steps_undone
from pipedoctor.frameworks.training import backward, checkpointing
from pipedoctor.frameworks.training.memory import within_memory
from pipedoctor.frameworks.training.optimizers import Built
from pipedoctor.frameworks.training.own_loss import training_loss
from pipedoctor.pipeline import Pipeline

OnDevice = Callable[[Mapping[str, Any], Any], dict[str, Any]]


def measure(pipeline: Pipeline, model: Any, on_device: OnDevice) -> Updates:
    """
    Take a step with the first batch and the highest learning rate, if weights are in 16 bits.

    Steps are never longer than the first one of Adam, so that what it leaves stays for long.

    Raises:
        Unavailable: A step can't be taken, can't be undone, or says nothing about the run.

    """
    import torch

    halves = {torch.bfloat16, torch.float16}
    trained = [p for p in model.parameters() if p.requires_grad]
    held = [p for p in trained if p.dtype in halves]
    if not held:
        return Updates(0, 0)
    backward.whole(model)
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        raise Unavailable("a step would wait for the other processes")
    optimizer = pipeline.fact(Built).optimizer
    optimizer = getattr(optimizer, "optimizer", optimizer)
    if getattr(type(optimizer), "__module__", "").partition(".")[0] != "torch":
        raise Unavailable(
            f"{type(optimizer).__name__} is none of torch's own; others may keep the weights in "
            "float32 besides, or round at random"
        )
    settings, trainer = pipeline.optional(Settings), pipeline.parts.get("trainer")
    compute = backward._of_model if trainer is None else training_loss(trainer)  # noqa: SLF001 - the loss that it measures
    half = backward.autocast(trainer, settings, model)
    inputs = on_device(pipeline.fact(Batches, Split.TRAIN).made[0].arrays, model)
    with (
        random_states(),
        training(model),
        backward.without_hooks(list(model.parameters())),
        within_memory(model),
        steps_undone(model, optimizer),
    ):
        _set_highest_rate(optimizer)
        if "transformers" in pipeline.parts.packages("model"):
            take_pad_token(pipeline, model)
        checkpointing.enable(model, settings)
        for parameter in model.parameters():
            parameter.grad = None
        with torch.enable_grad(), half():
            loss = compute(model, inputs)
        if not loss.requires_grad:
            raise Unavailable("the loss hangs on no weight")
        loss.backward()
        clip = settings.get("max_grad_norm") if settings is not None else None
        if isinstance(clip, (int, float)) and clip > 0:
            torch.nn.utils.clip_grad_norm_(trained, clip)
        before = [p.detach().clone() for p in held]
        moving = [
            torch.zeros_like(p, dtype=torch.bool) if p.grad is None else p.grad.detach() != 0
            for p in held
        ]
        optimizer.step()
        same = [
            (p.detach() == old) & moved for p, old, moved in zip(held, before, moving, strict=True)
        ]
        changed = [
            old[(p.detach() != old) & moved].abs().max()
            for p, old, moved in zip(held, before, moving, strict=True)
            if bool(((p.detach() != old) & moved).any())
        ]
        return Updates(
            elements=sum(int(moved.sum()) for moved in moving),
            unchanged=sum(int(kept.sum()) for kept in same),
            dtype=str(held[0].dtype).removeprefix("torch."),
            optimizer=type(optimizer).__name__,
            learning_rate=max(float(group["lr"]) for group in optimizer.param_groups),
            largest=max((float(value) for value in changed), default=0.0),
        )


def _set_highest_rate(optimizer: Any) -> None:
    """
    Set the rates that a schedule has lowered to what they are lowered from.

    It is `steps_undone` that puts them back, with all that the groups hold.
    """
    for group in optimizer.param_groups:
        group["lr"] = group.get("initial_lr", group["lr"])
