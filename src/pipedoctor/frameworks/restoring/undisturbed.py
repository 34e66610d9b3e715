"""
Running the user's data code and leaving it as it was.

A data set may draw from generators of its own, rebind its attributes, or fill lists that it
holds. All of that is put back, besides the random states of Python, numpy and torch: what a
training draws afterwards is what it would have drawn without us.
"""

from __future__ import annotations

import random
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from pipedoctor.frameworks.restoring.restore import random_states

MOST_OBJECTS = 2000
"""So many objects that the data holds are looked at; the nearest ones first."""

MOST_ITEMS = 100
"""The items of longer lists and mappings are data, and hold no generator."""

LONGEST_COPY = 100_000
"""Longer lists and mappings are data too; of these, not even the order is remembered."""

Undo = Callable[[], object]


@contextmanager
def undisturbed(*owners: Any) -> Iterator[None]:
    """Put the random states back at the end, and what these objects keep for themselves."""
    with random_states(), ExitStack() as undoing:
        for held in reach(*owners):
            undo = _undo(held)
            if undo is not None:
                undoing.callback(undo)
        yield


def reach(*owners: Any) -> Iterator[Any]:
    """Yield these objects and what they hold: attributes, closures, globals that they name."""
    waiting = deque(owners)
    met: dict[int, Any] = {}
    while waiting and len(met) < MOST_OBJECTS:
        held = waiting.popleft()
        if id(held) in met or _idle(held):
            continue
        met[id(held)] = held  # kept, so that no other object gets its id
        yield held
        waiting.extend(_inside(held))


def _idle(held: Any) -> bool:
    """Whether an object neither changes nor holds what does, or is none of the data's."""
    if held is None or isinstance(held, (bool, int, float, complex, str, bytes, type, ModuleType)):
        return True
    if _package(held) in {"pyarrow", "numpy"} and _generator(held) is None:
        return True
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(held, (torch.Tensor, torch.nn.Module))


def _package(held: Any) -> str:
    return type(held).__module__.partition(".")[0]


def _inside(held: Any) -> Iterator[Any]:
    if isinstance(held, dict):
        yield from held.values() if len(held) <= MOST_ITEMS else ()
    elif isinstance(held, (list, tuple, set, frozenset)):
        yield from held if len(held) <= MOST_ITEMS else ()
    elif isinstance(held, FunctionType):
        yield from _named(held)
    elif isinstance(held, MethodType):
        yield from (held.__self__, held.__func__)
    elif isinstance(held, partial):
        yield from (held.func, *held.args, *held.keywords.values())
    elif _generator(held) is None:
        yield from vars(held).values() if hasattr(held, "__dict__") else ()
        for kind in type(held).__mro__:
            if kind.__module__.partition(".")[0] not in sys.stdlib_module_names:
                yield from _of_class(kind)


def _of_class(kind: type) -> Iterator[Any]:
    """Yield the functions of a class, and the generators that stand in its body."""
    for value in vars(kind).values():
        inner = getattr(value, "__func__", value)
        if isinstance(inner, FunctionType) or _generator(inner) is not None:
            yield inner


def _named(function: FunctionType) -> Iterator[Any]:
    """Yield what a function holds in its closure, and the globals of its own module it names."""
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # a name that is not bound yet
            continue
    if (function.__module__ or "").partition(".")[0] in sys.stdlib_module_names:
        return
    for name in _names(function.__code__):
        value = function.__globals__.get(name)
        if isinstance(value, FunctionType) or _generator(value) is not None:
            yield value


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)


def _undo(held: Any) -> Undo | None:
    """Return what puts an object back into its present state; None if it has none."""
    generator = _generator(held)
    if generator is not None:
        return generator
    if isinstance(held, list):
        return partial(_refill_list, held, list(held)) if len(held) <= LONGEST_COPY else None
    if isinstance(held, (dict, set)):
        if len(held) > LONGEST_COPY:
            return None
        return partial(_refill, held, dict(held) if isinstance(held, dict) else set(held))
    if isinstance(held, (FunctionType, MethodType, partial)) or not hasattr(held, "__dict__"):
        return None
    if _package(held) == "datasets":
        return None  # nothing in it changes when rows are read
    entries = vars(held)
    return partial(_refill, entries, dict(entries)) if isinstance(entries, dict) else None


def _refill_list(held: list[Any], items: list[Any]) -> None:
    held[:] = items


def _refill(held: Any, items: Any) -> None:
    held.clear()
    held.update(items)


def _generator(held: Any) -> Undo | None:
    """Return what puts the state of a random generator back; None if the object is none."""
    if isinstance(held, random.Random):
        return partial(held.setstate, held.getstate())
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy is not None:
        if isinstance(held, numpy.random.RandomState):
            return partial(held.set_state, held.get_state())
        bits = held.bit_generator if isinstance(held, numpy.random.Generator) else held
        if isinstance(bits, numpy.random.BitGenerator):
            return partial(setattr, bits, "state", bits.state)
    if torch is not None and isinstance(held, torch.Generator):
        return partial(held.set_state, held.get_state())
    return None
