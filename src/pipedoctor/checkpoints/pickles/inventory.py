"""What a pickle holds, by dotted name: its tensors and its plain values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pipedoctor.checkpoints.contents import FlawKind
from pipedoctor.checkpoints.pickles.arrays import array
from pipedoctor.checkpoints.pickles.limits import DEPTH, OBJECTS, Budget, Unreadable
from pipedoctor.checkpoints.pickles.nodes import (
    CONTAINERS,
    Call,
    Global,
    Members,
    Pairs,
    Rebuilt,
)
from pipedoctor.checkpoints.pickles.rebuilding import rebuilt

_PLAIN = frozenset({int, float, str, bool, type(None)})
_LONGEST = 500  # of a dotted name
_MODULE = ("_parameters", "_buffers", "_modules")
_FEW = 8
"""So many things are looked at again wherever they stand, which costs less than to remember them."""
_ROUND = 1024  # nodes between two looks at the clock


@dataclass
class Inventory:
    """Tensors and plain values by dotted name."""

    tensors: dict[str, Rebuilt] = field(default_factory=dict)
    values: dict[str, object] = field(default_factory=dict)


def _children(node: object) -> Iterator[object]:
    """Yield the containers directly inside a container."""
    if type(node) is Call:
        inside: Iterable[object] = (node.function, node.arguments, node.state, node.items)
    else:
        inside = node  # type: ignore[assignment]  # every other container can be iterated
    for child in inside:
        if type(child) in CONTAINERS and child:
            yield child


def _small(node: object) -> bool:
    """Whether a container holds a few things and no other container, as the shape of a tensor."""
    if type(node) is Call or not isinstance(node, list | tuple) or len(node) > _FEW:
        return False
    return not any(type(child) in CONTAINERS for child in node)


def unfold(roots: Iterable[object], budget: Budget) -> None:
    """
    Raise `Unreadable` where objects nest too deep, or stand for too many once written out.

    Every node is visited once. A few shared lists can stand for 2^100 objects: whoever prints,
    compares or copies such a thing never comes to an end.
    """
    known: dict[int, tuple[int, int]] = {}  # of each node: the objects below it, and the levels
    count = looked = taken = 0
    for root in roots:
        if type(root) not in CONTAINERS or id(root) in known:
            continue
        path: list[tuple[object, Iterator[object], list[int]]] = [(root, _children(root), [1, 1])]
        known[id(root)] = (1, 1)  # a node that holds itself is counted once
        while path:
            node, children, told = path[-1]
            child = next(children, None)
            if child is not None and _small(child):
                path[-1][2][0] += 1
                path[-1][2][1] = max(path[-1][2][1], 2)
                looked += 1
                if looked % _ROUND == 0:
                    budget.tick()
                continue
            if child is not None and id(child) not in known:
                known[id(child)] = (1, 1)
                path.append((child, _children(child), [1, 1]))
                _within_limits(1, len(path))
                continue
            if child is None:
                path.pop()
                below, levels = told
                known[id(node)] = (below, levels)
                told = path[-1][2] if path else [0, 0]
            else:
                below, levels = known[id(child)]
            told[0] += below
            told[1] = max(told[1], levels + 1)
            _within_limits(told[0], levels)
            count += 1
            if count % _ROUND == 0:
                taken += _ROUND * 100
                budget.charge(_ROUND * 100)
                budget.tick()
    budget.room += taken  # what is known of the nodes is given back


def _within_limits(objects: int, levels: int) -> None:
    if levels > DEPTH:
        raise Unreadable(FlawKind.LIMIT, f"its objects nest deeper than {DEPTH:,} levels")
    if objects > OBJECTS:
        message = f"written out, it stands for more than {OBJECTS:,} objects"
        raise Unreadable(FlawKind.LIMIT, message)


def listed(top: object, budget: Budget) -> Inventory:
    """Return tensors and values by dotted name; a container that is shared is visited once."""
    found = Inventory()
    todo: list[tuple[str, object]] = [("", top)]
    seen: set[int] = set()
    count = 0
    while todo:
        name, node = todo.pop()
        count += 1
        if count % _ROUND == 0:
            budget.tick()
        kind = type(node)
        if kind is Rebuilt:
            budget.charge(len(name) + 100)
            found.tensors.setdefault(name, node)  # type: ignore[arg-type]  # its type was asked
        elif kind in _PLAIN:
            budget.charge(len(name) + 100)
            found.values.setdefault(name, node)
        elif kind in CONTAINERS and id(node) not in seen:
            seen.add(id(node))
            inside = _inside(found, name, node)
            budget.charge(100 * len(inside))
            for key, child in reversed(inside):
                todo.append((_dotted(name, key), child))
    return found


def _dotted(name: str, key: str | None) -> str:
    if key is None:
        return name
    return f"{name}.{key}"[:_LONGEST] if name else key


def _inside(found: Inventory, name: str, node: object) -> list[tuple[str | None, object]]:
    """Return what a container holds, by name; a row of plain values is a value itself."""
    if type(node) is Call:
        return _of_call(found, name, node)
    if type(node) is Pairs:
        pairs = zip(node[::2], node[1::2], strict=False)
        return [(_key(key), value) for key, value in pairs]
    assert isinstance(node, list | tuple)
    if _plain_row(node):
        found.values.setdefault(name, tuple(node))
        return []
    if type(node) is Members:
        return []
    return [(str(index), item) for index, item in enumerate(node)]


def _plain_row(node: object) -> bool:
    return isinstance(node, list | tuple) and all(type(item) in _PLAIN for item in node)


def _key(key: object) -> str:
    if type(key) in _PLAIN:
        return str(key)[:_LONGEST]
    if type(key) is Global:
        return f"{key.module}.{key.name}"[:_LONGEST]
    return type(key).__name__


def _of_call(found: Inventory, name: str, node: Call) -> list[tuple[str | None, object]]:
    arguments = node.arguments if isinstance(node.arguments, tuple) else ()
    if node.named("_codecs", "encode") or node.named("builtins", "bytearray", "bytes"):
        return []  # bytes, written as text: no value, as other bytes are none
    tensor = array(node) or _old_tensor(node)
    if tensor is not None:
        found.tensors.setdefault(name, tensor)
        return []
    if node.named("collections", "OrderedDict", "Counter"):
        if node.items is None and len(arguments) == 1:
            return _inside(found, name, _paired(arguments[0]))
        return _inside(found, name, node.items or Pairs())
    return _of_module(node.state) or _of_other(node, arguments)


def _old_tensor(node: Call) -> Rebuilt | None:
    """Return the tensor that an object's state makes, as torch's first versions wrote it."""
    if isinstance(node.state, tuple) and len(node.state) == 4:
        return rebuilt(Global("torch._utils", "_rebuild_tensor", 0), node.state)
    return None


def _of_other(node: Call, arguments: tuple[object, ...]) -> list[tuple[str | None, object]]:
    """Return what any other object holds: its items and state, or else what it is made of."""
    parts = [part for part in (node.items, node.state) if part]
    if not parts and len(arguments) > 1:
        return [(str(index), item) for index, item in enumerate(arguments)]
    if not parts and arguments:
        return [(None, arguments[0])]  # a member of an enumeration, a device: told by its value
    if node.items is None and _plain_row(node.state):
        return []
    return [(None, part) for part in parts]


def _of_module(state: object) -> list[tuple[str | None, object]]:
    """Return what a module of PyTorch holds, by the names that its state_dict would give it."""
    if type(state) is not Pairs or "_modules" not in state or "_parameters" not in state:
        return []
    pairs = zip(state[::2], state[1::2], strict=False)
    return [(None, held) for key, held in pairs if key in _MODULE]


def _paired(argument: object) -> object:
    """Return the items that Python 2 gave an OrderedDict as a list of pairs."""
    if not isinstance(argument, list | tuple):
        return Pairs()
    flat = Pairs()
    for pair in argument:
        if isinstance(pair, list | tuple) and len(pair) == 2:
            flat.extend(pair)
    return flat
