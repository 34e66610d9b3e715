"""Weights and an optimizer as they stand, to be put back after steps: values, states, groups."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.frameworks.training.memory import available
from pipedoctor.units import size


class Standing:
    """Where weights and optimizer stand. The tensors are written to, so that they stay themselves."""

    def __init__(self, model: Any, optimizer: Any) -> None:
        """
        Copy everything that a step changes.

        Raises:
            Unavailable: There is no room for the copies.

        """
        self._optimizer = getattr(optimizer, "optimizer", optimizer)
        held = [*model.parameters(), *model.buffers(), *self._tensors()]
        needed = sum(tensor.numel() * tensor.element_size() for tensor in held)
        free = available()
        on_cpu = all(tensor.device.type == "cpu" for tensor in held)
        if on_cpu and free is not None and needed > free // 2:
            raise Unavailable(
                f"no room for training steps that are undone: copies of the weights and of the "
                f"optimizer take {size(needed)}, and {size(free)} are free"
            )
        self._weights = [(p, p.detach().clone()) for p in (*model.parameters(), *model.buffers())]
        self._attributes = dict(vars(self._optimizer))
        self._groups = [dict(group) for group in self._optimizer.param_groups]
        self._states = {
            parameter: {
                name: (value, value.detach().clone() if hasattr(value, "detach") else value)
                for name, value in state.items()
            }
            for parameter, state in self._optimizer.state.items()
        }

    def put_back(self) -> None:
        """Put it all back, bit for bit."""
        import torch

        with torch.no_grad():
            for tensor, copy in self._weights:
                tensor.copy_(copy)
            vars(self._optimizer).update(self._attributes)
            for group, before in zip(self._optimizer.param_groups, self._groups, strict=True):
                group.clear()
                group.update(before)
            self._optimizer.state.clear()
            for parameter, state in self._states.items():
                self._optimizer.state[parameter] = {
                    name: self._restored(value, copy) for name, (value, copy) in state.items()
                }

    @staticmethod
    def _restored(value: Any, copy: Any) -> Any:
        return value.copy_(copy) if hasattr(value, "copy_") else copy

    def _tensors(self) -> Iterator[Any]:
        for state in self._optimizer.state.values():
            yield from (value for value in state.values() if hasattr(value, "element_size"))


@contextmanager
def steps_undone(model: Any, optimizer: Any) -> Iterator[None]:
    """Leave weights, buffers and the optimizer bit for bit as they were, whatever steps are taken."""
    standing = Standing(model, optimizer)
    try:
        yield
    finally:
        standing.put_back()
