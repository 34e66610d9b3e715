"""Which module an operation belongs to: on the way forwards, and on the way back."""

from __future__ import annotations

from typing import Any


class ModulePath:
    """
    Follows the calls of modules while it is entered.

    A node of the backward pass has the number under which its operation was recorded on the way
    forwards; so the innermost module whose call spans that number is where it belongs.
    """

    def __init__(self, model: Any) -> None:
        """Learn the names; modules that the model does not hold have the name of their class."""
        self._names: dict[int, str] = {}
        self.also(model)
        self._open: list[tuple[Any, str, int]] = []
        self._spans: list[tuple[int, int, str]] = []
        self._hooks: list[Any] = []

    def also(self, model: Any) -> None:
        """Learn the names of another model's modules."""
        self._names |= {
            id(module): name.replace("_orig_mod.", "").removesuffix("_orig_mod")
            for name, module in model.named_modules()
        }

    def __enter__(self) -> None:
        """Watch the calls of all modules; those of the model get no hook of their own."""
        from torch.nn.modules import module as of_all

        self._hooks = [
            of_all.register_module_forward_pre_hook(self._begin),
            of_all.register_module_forward_hook(self._end, always_call=True),
        ]

    def __exit__(self, *_error: object) -> None:
        """Watch no longer."""
        for hook in self._hooks:
            hook.remove()

    @property
    def current(self) -> str:
        """The name of the innermost module that is being called; empty for the model itself."""
        return self._open[-1][1] if self._open else ""

    @property
    def inside(self) -> bool:
        """Whether a module is being called."""
        return bool(self._open)

    def of_node(self, node: Any) -> str:
        """Return the name of the module in which the operation of a backward node was called."""
        number = node._sequence_nr()  # noqa: SLF001 - torch tells it nowhere else
        spans = [span for span in self._spans if span[0] <= number < span[1]]
        return min(spans, key=lambda span: span[1] - span[0])[2] if spans else ""

    def _begin(self, module: Any, _inputs: Any) -> None:
        name = self._names.get(id(module), type(module).__name__)
        self._open.append((module, name, _number()))

    def _end(self, module: Any, _inputs: Any, _output: Any) -> None:
        end = _number()
        while self._open:  # what an error has left is closed with what it passed through
            opened, name, begin = self._open.pop()
            self._spans.append((begin, end, name))
            if opened is module:
                return


def _number() -> int:
    import torch

    return int(torch._C._autograd._get_sequence_nr())  # noqa: SLF001 - torch tells it nowhere else
