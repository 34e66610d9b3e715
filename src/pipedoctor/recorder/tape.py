"""
The last batches of a training, as the model got them, with what it takes to run them again.

A batch is kept by reference, so this costs no memory beyond that of a few batches; of the
buffers that a forward pass may change, those of floating point are copied.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipedoctor.recorder import states
from pipedoctor.recorder.surroundings import Whole

MOST = 256
"""More passes are not added up for one update; without any, as after an error, no more are kept."""


@dataclass
class Pass:
    """
    One forward pass in training: a micro-batch of a step.

    `versions` are the counters of torch that tell whether a tensor was written to since.
    `loss` is the model's own, detached; None where it returned none. `half` is the precision of
    autocast that the model was called in: "bf16", "fp16" or "".
    """

    words: tuple[Any, ...]
    keywords: Mapping[str, Any]
    random: Mapping[str, Any]
    buffers: Mapping[str, Any]
    versions: tuple[int, ...]
    half: str = ""
    loss: Any = None

    @property
    def mutated(self) -> bool:
        """Whether some tensor of the batch was written to after the model had got it."""
        return self.versions != tuple(_versions(self.words, self.keywords))

    def tensors(self) -> Iterator[tuple[str, Any]]:
        """Yield the tensors of the batch with their names, nested ones with dots."""
        yield from named_tensors(self.words, self.keywords)


@dataclass
class Step:
    """The passes whose gradients one update adds up."""

    number: int
    passes: deque[Pass] = field(default_factory=lambda: deque(maxlen=MOST))
    wholes: tuple[Whole, ...] = ()
    """The batches, where what computes the loss gets more of them than the model does."""


class Tape:
    """
    Hooks on a model that keep its last `length` steps.

    Only passes in training mode with gradients are kept; evaluations in between are not.
    """

    def __init__(self, model: Any, length: int = 2) -> None:
        """Begin to record; `stop` ends it."""
        self.model = model
        self.steps: deque[Step] = deque(maxlen=length)
        self.current = Step(1)
        self._buffers = {
            name: buffer for name, buffer in model.named_buffers() if buffer.is_floating_point()
        }
        self._device = next((p.device.type for p in model.parameters()), "cpu")
        self._hooks = [
            model.register_forward_pre_hook(self._before, with_kwargs=True),
            model.register_forward_hook(self._after, with_kwargs=True),
        ]

    def turn(self, number: int) -> None:
        """An update was made: what comes now belongs to the step of that number."""
        self.steps.append(self.current)
        self.current = Step(number)

    def stop(self) -> None:
        """Take the hooks off."""
        for hook in self._hooks:
            hook.remove()
        self._hooks = []

    def _before(self, module: Any, words: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        import torch

        if not module.training or not torch.is_grad_enabled():
            return
        kept = dict(keywords)
        self.current.passes.append(
            Pass(
                words,
                kept,
                states.taken(),
                {name: buffer.detach().clone() for name, buffer in self._buffers.items()},
                tuple(_versions(words, kept)),
                _half(self._device),
            )
        )

    def _after(
        self, module: Any, _words: tuple[Any, ...], _keywords: dict[str, Any], answer: Any
    ) -> None:
        import torch

        if module.training and torch.is_grad_enabled() and self.current.passes:
            loss = loss_of(answer)
            self.current.passes[-1].loss = None if loss is None else loss.detach()


def loss_of(answer: Any) -> Any:
    """Return the loss that a model's answer holds; None if it holds none."""
    import torch

    loss = answer.get("loss") if isinstance(answer, Mapping) else getattr(answer, "loss", None)
    return loss if isinstance(loss, torch.Tensor) else None


def _half(device: str) -> str:
    """Return the precision of autocast that is in force."""
    import torch

    if not torch.is_autocast_enabled(device):
        return ""
    return {torch.bfloat16: "bf16", torch.float16: "fp16"}.get(
        torch.get_autocast_dtype(device), ""
    )


def named_tensors(words: Any, keywords: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the tensors in a call's arguments: "0" and "1" for positional ones, then by name."""
    for position, value in enumerate(words):
        yield from _inside(str(position), value)
    for name, value in keywords.items():
        yield from _inside(name, value)


def _inside(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    import torch

    if isinstance(value, torch.Tensor):
        yield name, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _inside(f"{name}.{key}", inner)
    elif isinstance(value, (list, tuple)):
        for position, inner in enumerate(value):
            yield from _inside(f"{name}.{position}", inner)


def _versions(words: Any, keywords: Mapping[str, Any]) -> Iterator[int]:
    for _, tensor in named_tensors(words, keywords):
        # Tensors made in inference mode count no versions.
        yield -1 if tensor.is_inference() else tensor._version  # noqa: SLF001 - torch's only counter
