"""A model as it stands, to be put back: what its modules hold, its tensors, its configs."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipedoctor.fact import Unavailable

COPIED = 1 << 30
"""
Weights of up to so many bytes are copied, in case a forward pass writes to them.

Of a larger model only those are copied that are known to change: embeddings with `max_norm`.
"""

CONTAINERS = (dict, OrderedDict, defaultdict, list, set, deque)


@contextmanager
def untouched(model: Any) -> Iterator[None]:
    """
    Leave a model bit for bit as it was, whatever is done to it inside.

    Put back are, for each module, its attributes, hooks and buffers, so its mode too; for each
    parameter its values, gradient and whether it is trained; and the entries of all configs: the
    models of transformers write the problem type into theirs at the first batch. Inside, no
    parameter has a gradient.
    """
    modules = [_Attributes(module) for module in model.modules()]
    configs = [_Attributes(config) for config in _configs(model)]
    tensors = [*_parameters(model), *_buffers(model)]
    try:
        yield
    finally:
        for held in (*modules, *configs):
            held.put_back()
        for tensor in tensors:
            tensor.put_back()


class _Attributes:
    """The attributes of an object, and what the plain containers among them hold."""

    def __init__(self, owner: Any) -> None:
        self._owner = owner
        self._values = dict(vars(owner))
        self._contents = [
            (value, value.copy()) for value in self._values.values() if type(value) in CONTAINERS
        ]
        self._training = getattr(owner, "training", None)

    def put_back(self) -> None:
        held = vars(self._owner)
        for name in held.keys() - self._values.keys():
            del held[name]
        held.update(self._values)
        for value, content in self._contents:
            value.clear()
            (getattr(value, "extend", None) or value.update)(content)
        # A module of TorchScript keeps its mode elsewhere.
        if self._training is not None and self._owner.training != self._training:
            self._owner.training = self._training


class _Tensor:
    """One parameter or buffer: where its values are, what they are, its gradient."""

    def __init__(self, tensor: Any, *, copied: bool) -> None:
        import torch

        self._tensor = tensor
        self._needs_grad = tensor.requires_grad
        self._grad = tensor.grad if tensor.is_leaf else None
        if self._grad is not None:
            tensor.grad = None  # a gradient made meanwhile is not added to the user's own
        # A tensor of a type of its own (quantised, sharded) has no storage to point at.
        self._data = tensor.data if type(tensor.data) is torch.Tensor else None
        self._copy = tensor.detach().clone() if copied else None

    def put_back(self) -> None:
        import torch

        tensor = self._tensor
        if self._data is not None and tensor.data_ptr() != self._data.data_ptr():
            tensor.data = self._data
        if self._copy is not None and not _same(tensor, self._copy):
            with torch.no_grad():
                tensor.copy_(self._copy)
        if tensor.is_leaf:
            if tensor.requires_grad != self._needs_grad:
                tensor.requires_grad_(self._needs_grad)
            if tensor.grad is not self._grad:
                tensor.grad = self._grad


def _parameters(model: Any) -> Iterator[_Tensor]:
    import torch

    each = list(model.parameters())
    if any(torch.nn.parameter.is_lazy(parameter) for parameter in each):
        raise Unavailable("the model has parameters that take their shape from the first batch")
    small = sum(p.numel() * p.element_size() for p in each) <= COPIED
    restless = {
        id(module.weight)
        for module in model.modules()
        if getattr(module, "max_norm", None) is not None and hasattr(module, "weight")
    }
    for parameter in each:
        yield _Tensor(parameter, copied=small or id(parameter) in restless)


def _buffers(model: Any) -> Iterator[_Tensor]:
    for module in model.modules():
        for buffer in module._buffers.values():  # noqa: SLF001 - those that are not saved too
            if buffer is not None:
                yield _Tensor(buffer, copied=True)


def _configs(model: Any) -> list[Any]:
    found = {
        id(value): value
        for module in model.modules()
        for name, value in vars(module).items()
        if name in {"config", "generation_config"}
        and hasattr(value, "__dict__")
        and not isinstance(value, type)  # some take the class itself for a namespace
    }
    return list(found.values())


def _same(tensor: Any, copy: Any) -> bool:
    import torch

    try:
        return bool(torch.equal(tensor, copy))  # NaN is never equal, and is put back then
    except (NotImplementedError, RuntimeError):  # a type that can't be compared is put back
        return False
