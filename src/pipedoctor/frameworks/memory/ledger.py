"""The ledger: every storage that comes and goes while something runs, so that its peak is known."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensor
from torch.utils._python_dispatch import TorchDispatchMode

WEIGHTS, BUFFERS, GRADIENTS, STATES, INPUTS = "weights", "buffers", "gradients", "states", "inputs"
MADE = "made"
"""Made by an operation, of which only later is known what for."""

ASKED_DEVICE = torch.ops.prim.device.default
"""Of all that is run, most is the question where a tensor is, which is answered here at once."""


@dataclass(frozen=True)
class Entry:
    """A storage: its bytes, what it is or which operation made it, in which module, and when."""

    size: int
    kind: str
    name: str
    shape: tuple[int, ...]
    dtype: str
    module: str = ""
    phase: str = ""


class Ledger(TorchDispatchMode):  # type: ignore[misc]  # torch does not type it
    """
    Keeps the book of live storages while it is entered; `block` is what an allocator rounds to.

    Views share a storage, which counts once. What an operation allocates within its kernel is not
    seen, as it is gone when the operation returns.
    """

    def __init__(self, block: int = 1) -> None:
        """Begin with an empty book."""
        super().__init__()
        self._block = block
        self.entries: list[Entry] = []
        self._events: list[int] = []  # the number of an entry that comes; ~number as it goes
        self._numbers: dict[int, int] = {}  # of live storages, by their addresses
        self._watching: dict[int, Any] = {}
        self.live = 0
        self._peaks: dict[str, tuple[int, int]] = {}
        self._phase = ""
        self._modules: list[str] = [""]

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run an operation, and enter what it made."""
        del types
        if func is ASKED_DEVICE and isinstance(args[0], FakeTensor):
            return args[0].fake_device
        out = func(*args, **(kwargs or {}))
        if isinstance(out, (tuple, list)):
            for one in out:
                self._made(one, func)
        else:
            self._made(out, func)
        return out

    def _made(self, value: Any, func: Any) -> None:
        if isinstance(value, (tuple, list)):
            for one in value:
                self._made(one, func)
        elif hasattr(value, "untyped_storage"):
            self.hold(value, MADE, func)

    def hold(self, tensor: Any, kind: str, name: Any) -> int:
        """Enter a tensor's storage, unless it stands in the book; return its number there."""
        storage = tensor.untyped_storage()
        address = storage._cdata  # noqa: SLF001 - the identity of a storage has no other name
        number = self._numbers.get(address)
        if number is not None:
            return number
        number = len(self.entries)
        size = -(-storage.nbytes() // self._block) * self._block
        self.entries.append(
            Entry(
                size=size,
                kind=kind,
                name=name if isinstance(name, str) else str(name.overloadpacket),
                shape=tuple(tensor.shape),
                dtype=str(tensor.dtype).removeprefix("torch."),
                module=self._modules[-1],
                phase=self._phase,
            )
        )
        self._numbers[address] = number
        self._watching[number] = weakref.ref(storage, partial(self._gone, address, number))
        self._events.append(number)
        self.live += size
        if self.live > self._peaks.get(self._phase, (-1, 0))[0]:
            self._peaks[self._phase] = (self.live, len(self._events))
        return number

    def _gone(self, address: int, number: int, _reference: object) -> None:
        del self._watching[number]
        if self._numbers.get(address) == number:
            del self._numbers[address]
        self._events.append(~number)
        self.live -= self.entries[number].size

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Name what goes on, for the entries made and the peak reached meanwhile."""
        before, self._phase = self._phase, name
        self._peaks.setdefault(name, (self.live, len(self._events)))
        try:
            yield
        finally:
            self._phase = before

    @contextmanager
    def within(self, model: Any) -> Iterator[None]:
        """Have entries say in which module of a model they were made."""
        from torch.nn.modules.module import (
            register_module_forward_hook,
            register_module_forward_pre_hook,
        )

        names = {id(module): name for name, module in model.named_modules()}

        def enter(module: Any, _inputs: Any) -> None:
            self._modules.append(names.get(id(module), self._modules[-1]))

        def leave(_module: Any, _inputs: Any, _output: Any) -> None:
            self._modules.pop()

        before = register_module_forward_pre_hook(enter)
        after = register_module_forward_hook(leave, always_call=True)
        try:
            yield
        finally:
            before.remove()
            after.remove()
            del self._modules[1:]

    def peak(self, phase: str) -> int:
        """Return the most bytes that were live in a phase."""
        return self._peaks[phase][0]

    def at_peak(self, phase: str) -> set[int]:
        """Return the numbers of the entries that were live when a phase was at its peak."""
        live: set[int] = set()
        for event in self._events[: self._peaks[phase][1]]:
            if event >= 0:
                live.add(event)
            else:
                live.discard(~event)
        return live

    def moments(self, kinds: Sequence[int]) -> list[tuple[int, int, int, int]]:
        """
        Return what was live whenever something was about to go, in bytes of four kinds.

        `kinds` says of which of them each entry is.
        """
        live, found, grew = [0, 0, 0, 0], [], False
        for event in self._events:
            if event >= 0:
                live[kinds[event]] += self.entries[event].size
                grew = True
                continue
            if grew:
                found.append((live[0], live[1], live[2], live[3]))
                grew = False
            live[kinds[~event]] -= self.entries[~event].size
        if grew:
            found.append((live[0], live[1], live[2], live[3]))
        return found

    def now(self) -> set[int]:
        """Return the numbers of the entries that are live."""
        return set(self._numbers.values())

    def numbers_of(self, tensors: Iterable[Any]) -> set[int]:
        """Return the numbers under which the storages of tensors stand in the book."""
        found = set()
        for tensor in tensors:
            number = self._numbers.get(tensor.untyped_storage()._cdata)  # noqa: SLF001 - likewise
            if number is not None:
                found.add(number)
        return found


def summed(entries: Iterable[Entry]) -> Counter[tuple[str, str, tuple[int, ...], str]]:
    """Return the bytes of entries of one name, place (layers count as one), shape and dtype."""
    total: Counter[tuple[str, str, tuple[int, ...], str]] = Counter()
    for entry in entries:
        total[entry.name, layers_as_one(entry.module), entry.shape, entry.dtype] += entry.size
    return total


def layers_as_one(path: str) -> str:
    """Return the path of a module with * for the numbers of layers: encoder.layer.*.output."""
    return ".".join("*" if part.isdecimal() else part for part in path.split("."))
