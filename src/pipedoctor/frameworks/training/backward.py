"""One step's backward pass: which parameters get a gradient, and how large it is."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pipedoctor.fact import Split, Unavailable
from pipedoctor.facts.gradients import Gradient, Gradients, Stranger
from pipedoctor.facts.settings import Settings
from pipedoctor.frameworks.data.batches import Batches
from pipedoctor.frameworks.data.feeding import take_pad_token
from pipedoctor.frameworks.restoring.restore import random_states, training
from pipedoctor.frameworks.training import checkpointing, graph
from pipedoctor.frameworks.training.memory import demand_weights, within_memory
from pipedoctor.frameworks.training.optimizers import Built
from pipedoctor.frameworks.training.own_loss import Loss, own_loss, training_loss
from pipedoctor.pipeline import Pipeline

SCALE = 1024.0
"""
What the loss is multiplied by where the pass runs in float16, and the gradients divided by.

Trainer scales it too, or small gradients would vanish. It starts at 65,536 and goes down as long
as something overflows; this is far enough from both ends.
"""


@dataclass(frozen=True)
class Pass:
    """What one forward and backward pass gave: norms by name, and what the loss hangs on."""

    loss: float
    connected: bool
    norms: Mapping[str, float | None]
    leaves: list[Any]
    segments: checkpointing.Segments
    dead: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    broadcast: tuple[tuple[int, ...], tuple[int, ...]] | None = None


def measure(pipeline: Pipeline, model: Any, inputs: Any) -> Gradients:
    """
    Run the model forwards and backwards as a training step would, and leave no trace of it.

    `inputs` turns arrays into what the model takes. A parameter without a gradient is looked at
    twice, the second time in another batch and with nothing left out at random.
    """
    whole(model)
    trainer = pipeline.parts.get("trainer")
    compute = _of_model if trainer is None else training_loss(trainer)
    settings = pipeline.optional(Settings)
    trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
    made = pipeline.fact(Batches, Split.TRAIN).made
    with random_states(), training(model):
        if "transformers" in pipeline.parts.packages("model"):
            take_pad_token(pipeline, model)
        on = checkpointing.enable(model, settings)
        half = autocast(trainer, settings, model)
        first = _run(model, compute, inputs(made[0].arrays, model), trained, half)
        reached = {name for name, norm in first.norms.items() if norm is not None}
        cut = _cut(first, trained)
        dead = {}
        if first.dead:
            step = partial(_quietly, model, compute, inputs(made[0].arrays, model), half)
            dead = {n: e for n, e in first.dead.items() if graph.below_zero(model, n, step)}
        passes = 1
        if first.connected and len(reached) < len(trained):
            model.eval()
            again = _run(model, compute, inputs(made[-1].arrays, model), trained, half)
            reached |= {name for name, norm in again.norms.items() if norm is not None}
            reached -= cut  # nothing is checkpointed in that mode
            passes = 2
    of = {
        name: Gradient(first.norms[name], parameter.numel(), name in reached)
        for name, parameter in trained.items()
    }
    return Gradients(
        model=type(model).__name__,
        loss=first.loss,
        of=of,
        connected=first.connected,
        own_loss=trainer is not None and own_loss(trainer) is not None,
        checkpointing=on,
        cut=tuple(name for name in trained if name in cut),
        strangers=tuple(_strangers(pipeline, model, first.leaves)),
        passes=passes,
        dead=dead,
        broadcast=first.broadcast,
    )


def whole(model: Any) -> None:
    """Raise `Unavailable` unless all of the model's weights are in this process's memory."""
    demand_weights(model)
    for parameter in model.parameters():
        if hasattr(parameter, "ds_id") or type(parameter).__name__ == "DTensor":
            raise Unavailable("each process holds a part of the model's weights only")


def _of_model(model: Any, inputs: Any) -> Any:
    """Return the loss that the model computes by itself."""
    answer = model(**inputs)
    loss = answer.get("loss") if hasattr(answer, "get") else getattr(answer, "loss", None)
    if loss is None:
        raise Unavailable("the model returned no loss")
    return loss.mean()


def _run(model: Any, compute: Loss, inputs: Any, trained: Mapping[str, Any], half: Any) -> Pass:
    import torch

    with checkpointing.watched() as segments, torch.enable_grad(), within_memory(model):
        with half():
            loss = compute(model, inputs)
            value = float(loss.detach().float().mean())
            scale = SCALE if in_float16(loss.device.type) else 1.0
        if not loss.requires_grad:
            return Pass(value, False, dict.fromkeys(trained), [], segments)
        ends = graph.leaves(loss)
        names = {id(parameter): name for name, parameter in model.named_parameters()}
        dead, broadcast = graph.dead_units(loss, names), graph.broadcast(loss, inputs)
        if segments.ran > len(segments.cut):
            norms = _by_backward(loss * scale, trained, ends)
        else:
            norms = _by_grad(loss * scale, trained)
    told = {name: norm if norm is None else norm / scale for name, norm in norms.items()}
    return Pass(value, True, told, ends, segments, dead, broadcast)


def _quietly(model: Any, compute: Loss, inputs: Any, half: Any) -> None:
    """Run the model forwards once more, for what is watched meanwhile."""
    import torch

    with torch.no_grad(), half():
        compute(model, inputs)


def _by_grad(loss: Any, trained: Mapping[str, Any]) -> dict[str, float | None]:
    """Measure the gradients without putting them anywhere; hooks for what is put there rest."""
    import torch

    if not trained:
        return {}
    found = torch.autograd.grad(loss, list(trained.values()), allow_unused=True)
    return {
        name: None if gradient is None else _norm(gradient)
        for name, gradient in zip(trained, found, strict=True)
    }


def _by_backward(
    loss: Any, trained: Mapping[str, Any], ends: list[Any]
) -> dict[str, float | None]:
    """
    Measure the gradients where they are put: reentrant checkpointing knows no other way.

    The model's own were set aside before; those of other tensors are here.
    """
    import torch

    if torch.distributed.is_available() and torch.distributed.is_initialized():
        raise Unavailable(
            "a backward pass with reentrant checkpointing would wait for the other processes"
        )
    with without_hooks([*trained.values(), *ends]):
        kept = [(tensor, tensor.grad) for tensor in ends]
        for tensor in ends:
            tensor.grad = None
        try:
            loss.backward()
            return {
                name: None if parameter.grad is None else _norm(parameter.grad)
                for name, parameter in trained.items()
            }
        finally:
            for parameter in trained.values():
                parameter.grad = None
            for tensor, gradient in kept:
                tensor.grad = gradient


@contextmanager
def without_hooks(tensors: list[Any]) -> Iterator[None]:
    """Have hooks that run on an accumulated gradient rest: an optimizer may step in one."""
    name = "_post_accumulate_grad_hooks"
    resting = [(tensor, hooks) for tensor in tensors if (hooks := getattr(tensor, name, None))]
    for tensor, _ in resting:
        setattr(tensor, name, OrderedDict())  # None would leave those that are there
    try:
        yield
    finally:
        for tensor, hooks in resting:
            setattr(tensor, name, hooks)


def _norm(gradient: Any) -> float:
    import torch

    values = gradient.coalesce().values() if gradient.is_sparse else gradient
    # In float64 no finite gradient overflows; Apple's GPUs have none.
    precise = torch.float32 if values.device.type == "mps" else torch.float64
    return float(torch.linalg.vector_norm(values.detach().to(precise)))


def autocast(trainer: Any, settings: Settings | None, model: Any) -> Any:
    """Return what makes the context of mixed precision that the run has."""
    import torch

    accelerator = getattr(trainer, "accelerator", None)
    if accelerator is not None:
        return accelerator.autocast
    device = next((p.device.type for p in model.parameters()), "cpu")

    def cast() -> Any:
        if settings is not None and settings.get("bf16") is True:
            return torch.autocast(device, torch.bfloat16)
        if settings is not None and settings.get("fp16") is True and device == "cuda":
            return torch.autocast(device, torch.float16)
        return nullcontext()

    return cast


def in_float16(device: str) -> bool:
    """Whether operations run in float16 here."""
    import torch

    if not torch.is_autocast_enabled(device):
        return False
    return bool(torch.get_autocast_dtype(device) == torch.float16)


def _cut(first: Pass, trained: Mapping[str, Any]) -> set[str]:
    """Return the parameters without a gradient in segments that checkpointing cut off."""
    modules = first.segments.cut
    inside = {id(p) for module in modules if module is not None for p in module.parameters()}
    anywhere = None in modules
    return {
        name
        for name, parameter in trained.items()
        if first.norms[name] is None and (anywhere or id(parameter) in inside)
    }


def _strangers(pipeline: Pipeline, model: Any, ends: list[Any]) -> Iterator[Stranger]:
    import torch

    registered = {id(parameter) for parameter in model.parameters()}
    names = graph.unregistered(model)
    built = pipeline.optional(Built)
    held = None if built is None else built.ids
    for tensor in ends:
        known = id(tensor) in names or isinstance(tensor, torch.nn.Parameter)
        if id(tensor) in registered or not known:
            continue
        name, holder = names.get(id(tensor), ("", ""))
        optimized = None if held is None else id(tensor) in held
        yield Stranger(tuple(tensor.shape), tensor.numel(), name, holder, optimized)
