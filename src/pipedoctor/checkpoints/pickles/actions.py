"""What each opcode does to the machine's stack, memo and containers; constants stand elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pipedoctor.checkpoints.contents import FlawKind
from pipedoctor.checkpoints.pickles.nodes import Call, Global, Members, Pairs, Storage, Unknown

if TYPE_CHECKING:
    from pipedoctor.checkpoints.pickles.reader import Machine


_OF_MODULES = {"_buffers", "_modules", "_parameters", "training"}
_OUT_OF_TURN = 120  # bytes that a number in the memo takes where it isn't the next one


def _proto(m: Machine) -> None:
    version = m.source.take(1)[0]
    m.protocol = max(m.protocol, version)
    if version > 5:
        m.flaw(FlawKind.BAD_HEADER, f"it says protocol {version}, and there are 0 to 5")


def _frame(m: Machine) -> None:
    size = int.from_bytes(m.source.take(8), "little")
    end = m.source.end
    if end is not None and size > end - m.source.tell():
        over = size - (end - m.source.tell())
        m.flaw(FlawKind.TRUNCATED, f"a frame of {size:,} bytes ends {over:,} after the file")


def _global(m: Machine) -> None:
    offset = max(m.source.tell() - 1, 0)
    module = m.source.line().decode("utf-8")
    m.stack.append(m.name(module, m.source.line().decode("utf-8"), offset))


def _stack_global(m: Machine) -> None:
    name, module = m.stack.pop(), m.stack.pop()
    if type(name) is str and type(module) is str:
        m.stack.append(m.name(module, name, max(m.source.tell() - 1, 0)))
        return
    m.trick("names a global that it has computed")
    m.stack.append(Unknown())


def _extension(size: int) -> Callable[[Machine], None]:
    def action(m: Machine) -> None:
        code = int.from_bytes(m.source.take(size), "little")
        m.trick(f"takes number {code} of the extension registry, whatever that may be")
        m.stack.append(Unknown())

    return action


def _reduce(m: Machine) -> None:
    arguments = m.stack.pop()
    m.stack[-1] = m.call(m.stack[-1], arguments)


def _new_object(m: Machine) -> None:
    arguments = m.stack.pop()
    m.stack.append(m.call(m.stack.pop(), arguments, new=True))


def _new_object_ex(m: Machine) -> None:
    keywords, arguments = m.stack.pop(), m.stack.pop()
    m.stack.append(m.call(m.stack.pop(), (arguments, keywords), new=True))


def _inst(m: Machine) -> None:
    offset = max(m.source.tell() - 1, 0)
    module = m.source.line().decode("utf-8")
    function = m.name(module, m.source.line().decode("utf-8"), offset)
    made = m.call(function, tuple(m.pop_mark()))
    m.stack.append(made)


def _obj(m: Machine) -> None:
    items = m.pop_mark()
    made = m.call(items[0], tuple(items[1:]))
    m.stack.append(made)


def _build(m: Machine) -> None:
    state = m.stack.pop()
    target = m.stack[-1]
    if type(target) is not Call:
        if not (target is None or isinstance(target, list | tuple)):
            m.trick("sets the state of what it has not made")
        m.dropped.append(state)
        return
    if target.state is not None:
        m.dropped.append(target.state)
        _run(m, target)  # the state that was set before may say what a second one does
    target.state = state
    _as_module(m, target)
    if m.built is not None:
        m.built(m, target)


def _persistent(m: Machine, told: object) -> None:
    found = m.persistent(told)
    if found is None:
        m.trick("hands its loader an object's id that is no storage of a tensor")
        m.dropped.append(told)
        m.stack.append(Unknown())
        return
    if type(found) is Storage:
        m.storages.setdefault(found.key, found)
    m.stack.append(found)


def _mark(m: Machine) -> None:
    m.marked.append(m.stack)
    m.stack = []


def _read_only(m: Machine) -> None:
    if not m.stack:
        raise IndexError


def _pop(m: Machine) -> None:
    m.dropped.append(m.stack.pop() if m.stack else m.pop_mark())


def _put(m: Machine, index: int) -> None:
    if index < 0:
        raise ValueError("a negative index")
    if index > len(m.memo.row):
        m.source.budget.charge(_OUT_OF_TURN)
    before = m.memo.put(index, m.stack[-1])
    if before is not None:
        m.dropped.append(before)


def _line_number(m: Machine) -> int:
    line = m.source.line()
    if len(line) > 20:
        raise ValueError(f"an index of {len(line)} digits")
    return int(line)


def _one(m: Machine) -> int:
    return m.source.take(1)[0]


def _four(m: Machine) -> int:
    return int.from_bytes(m.source.take(4), "little")


def _tuple(m: Machine) -> None:
    items = m.pop_mark()
    m.source.budget.charge(8 * len(items))
    m.stack.append(tuple(items))


def _tuple_of(size: int) -> Callable[[Machine], None]:
    def action(m: Machine) -> None:
        stack = m.stack
        if len(stack) < size:
            raise IndexError
        stack[-size:] = [tuple(stack[-size:])]

    return action


def _list(m: Machine) -> None:
    items = m.pop_mark()
    m.stack.append(items)


def _made(kind: type[Pairs | Members]) -> Callable[[Machine], None]:
    def action(m: Machine) -> None:
        items = m.pop_mark()
        m.stack.append(kind(items))

    return action


def _into(m: Machine, items: list[object], kinds: tuple[type, ...]) -> None:
    """Put items into the container on top, as append, add or item assignment would."""
    target = m.stack[-1]
    m.source.budget.charge(9 * len(items))
    if isinstance(target, kinds):
        target.extend(items)  # type: ignore[attr-defined]  # all of them are lists
    elif type(target) is Call:
        if target.items is None:
            target.items = Pairs() if Pairs in kinds else []
        _run(m, target)
        target.items.extend(items)
    else:
        m.trick("puts items into what is no container")
        m.dropped.append(items)


def _setitem(m: Machine) -> None:
    value, key = m.stack.pop(), m.stack.pop()
    _into(m, [key, value], (Pairs,))


def _setitems(m: Machine) -> None:
    items = m.pop_mark()
    if len(items) % 2:
        raise ValueError("a key without a value")
    _into(m, items, (Pairs,))


def _stop(m: Machine) -> None:
    m.result = m.stack.pop()
    m.done = True


def _run(m: Machine, made: Call) -> None:
    """Note that something is done with an object which its state may decide."""
    if type(made.function) is Global:
        m.ran.add(made.function.pair)


def _as_module(m: Machine, made: Call) -> None:
    """Note whether the state of an object is that of a module of PyTorch."""
    state = made.state
    if type(state) is not Pairs or type(made.function) is not Global:
        if state is not None:
            _run(m, made)
        return
    keys = state[::2]
    if any(type(key) is not str or key.startswith("__") for key in keys):
        _run(m, made)
    elif set(keys) >= _OF_MODULES:
        m.modules.add(made.function.pair)


ACTIONS: dict[bytes, tuple[Callable[[Machine], None], int]] = {
    b"\x80": (_proto, 0),
    b"\x95": (_frame, 0),
    b".": (_stop, 0),
    b"c": (_global, 240),
    b"\x93": (_stack_global, 200),
    b"\x82": (_extension(1), 40),
    b"\x83": (_extension(2), 40),
    b"\x84": (_extension(4), 40),
    b"R": (_reduce, 96),
    b"\x81": (_new_object, 96),
    b"\x92": (_new_object_ex, 220),
    b"i": (_inst, 300),
    b"o": (_obj, 200),
    b"b": (_build, 8),
    b"P": (lambda m: _persistent(m, m.source.line()), 120),
    b"Q": (lambda m: _persistent(m, m.stack.pop()), 120),
    b"(": (_mark, 72),
    b"0": (_pop, 8),
    b"1": (lambda m: m.dropped.append(m.pop_mark()), 8),
    b"2": (lambda m: m.stack.append(m.stack[-1]), 8),
    b"p": (lambda m: _put(m, _line_number(m)), 10),
    b"q": (lambda m: _put(m, _one(m)), 10),
    b"r": (lambda m: _put(m, _four(m)), 10),
    b"\x94": (lambda m: _put(m, len(m.memo)), 10),
    b"g": (lambda m: m.stack.append(m.memo.get(_line_number(m))), 8),
    b"h": (lambda m: m.stack.append(m.memo.get(_one(m))), 8),
    b"j": (lambda m: m.stack.append(m.memo.get(_four(m))), 8),
    b"t": (_tuple, 56),
    b"\x85": (_tuple_of(1), 56),
    b"\x86": (_tuple_of(2), 64),
    b"\x87": (_tuple_of(3), 72),
    b"l": (_list, 8),
    b"d": (_made(Pairs), 72),
    b"}": (lambda m: m.stack.append(Pairs()), 72),
    b"\x8f": (lambda m: m.stack.append(Members()), 72),
    b"\x91": (_made(Members), 72),
    b"a": (lambda m: _into(m, [m.stack.pop()], (list,)), 0),
    b"e": (lambda m: _into(m, m.pop_mark(), (list,)), 0),
    b"\x90": (lambda m: _into(m, m.pop_mark(), (Members,)), 0),
    b"s": (_setitem, 0),
    b"u": (_setitems, 0),
    b"\x98": (_read_only, 0),
}
"""Opcode -> what it does to the machine, and the bytes of memory that it is charged with."""
