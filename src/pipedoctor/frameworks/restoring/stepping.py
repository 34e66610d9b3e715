"""Weights and an optimizer as they stand, to be put back after steps: values, states, groups."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.frameworks.restoring.spilling import Spill, Spilled
from pipedoctor.frameworks.training.memory import available
from pipedoctor.units import size


class Standing:
    """Where weights and optimizer stand. The tensors are written to, so that they stay themselves."""

    def __init__(self, model: Any, optimizer: Any, *, spilling: bool = False) -> None:
        """
        Copy everything that a step changes; into a file, where memory is short and that is wished.

        Raises:
            Unavailable: There is no room for the copies.

        """
        self._optimizer = getattr(optimizer, "optimizer", optimizer)
        held = [*model.parameters(), *model.buffers(), *self._tensors()]
        needed = sum(tensor.numel() * tensor.element_size() for tensor in held)
        free = available()
        on_cpu = all(tensor.device.type == "cpu" for tensor in held)
        spill = None
        if on_cpu and free is not None and needed > free // 2:
            if not spilling:
                raise Unavailable(
                    f"no room for training steps that are undone: copies of the weights and of the "
                    f"optimizer take {size(needed)}, and {size(free)} are free"
                )
            spill = Spill(needed)
        self.spilled = needed if spill is not None else 0
        """The bytes that lie in a file."""

        def kept(tensor: Any) -> Any:
            return tensor.detach().clone() if spill is None else spill.keep(tensor)

        self._weights = [(p, kept(p)) for p in (*model.parameters(), *model.buffers())]
        self._attributes = dict(vars(self._optimizer))
        self._groups = [dict(group) for group in self._optimizer.param_groups]
        self._states = {
            parameter: {
                name: (value, kept(value) if hasattr(value, "detach") else value)
                for name, value in state.items()
            }
            for parameter, state in self._optimizer.state.items()
        }

    def of(self, parameter: Any) -> Any:
        """Return a copy of a parameter as it stood, None of one that is not the model's."""
        copies = (copy for tensor, copy in self._weights if tensor is parameter)
        kept = next(copies, None)
        return None if kept is None else _copy(kept)

    def put_back(self) -> None:
        """Put it all back, bit for bit."""
        import torch

        with torch.no_grad():
            for tensor, copy in self._weights:
                tensor.copy_(_copy(copy))
            for name in vars(self._optimizer).keys() - self._attributes.keys():
                del vars(self._optimizer)[name]
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
        return value.copy_(_copy(copy)) if hasattr(value, "copy_") else copy

    def _tensors(self) -> Iterator[Any]:
        for state in self._optimizer.state.values():
            yield from (value for value in state.values() if hasattr(value, "element_size"))


def _copy(kept: Any) -> Any:
    """Return a copy, from wherever it lies."""
    return kept.read() if isinstance(kept, Spilled) else kept


@contextmanager
def steps_undone(model: Any, optimizer: Any, *, spilling: bool = False) -> Iterator[Standing]:
    """
    Leave weights, buffers and the optimizer bit for bit as they were, whatever steps are taken.

    Hooks on the steps rest meanwhile: what they count or average is not put back by anyone.

    Raises:
        Unavailable: There is no room for the copies.

    """
    standing = Standing(model, optimizer, spilling=spilling)
    with _hooks_resting(optimizer):
        try:
            yield standing
        finally:
            standing.put_back()


@contextmanager
def _hooks_resting(optimizer: Any) -> Iterator[None]:
    """Have the hooks that run before and after a step rest, those of all optimizers among them."""
    from torch.optim import optimizer as of_all

    inner = getattr(optimizer, "optimizer", optimizer)
    places = [
        (inner, "_optimizer_step_pre_hooks"),
        (inner, "_optimizer_step_post_hooks"),
        (of_all, "_global_optimizer_pre_hooks"),
        (of_all, "_global_optimizer_post_hooks"),
    ]
    found = [hooks for place, name in places if (hooks := getattr(place, name, None))]
    # They are emptied, not replaced: torch and the handles that remove a hook hold on to them.
    kept = [(hooks, dict(hooks)) for hooks in found]
    for hooks in found:
        hooks.clear()
    try:
        yield
    finally:
        for hooks, before in kept:
            hooks.clear()
            hooks.update(before)
