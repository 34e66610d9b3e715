"""joblib's files: the arrays stand in the middle of the pickle, and it reads on behind them."""

from __future__ import annotations

from math import prod

from pipedoctor.checkpoints.contents import FlawKind
from pipedoctor.checkpoints.pickles.arrays import CODES, code_of, strides
from pipedoctor.checkpoints.pickles.limits import Unreadable
from pipedoctor.checkpoints.pickles.nodes import Call, Global, Pairs, Rebuilt, Storage
from pipedoctor.checkpoints.pickles.reader import Machine
from pipedoctor.checkpoints.pickles.rebuilding import ints

WRAPPER = ("joblib.numpy_pickle", "NumpyArrayWrapper")


def follow_joblib(machine: Machine, made: Call) -> None:
    """
    Pass over the bytes of an array, which joblib writes into the middle of its pickle.

    An array of objects is a pickle there, and it is followed.
    """
    if not made.named(*WRAPPER) or type(made.state) is not Pairs:
        return
    told = dict(zip(made.state[::2], made.state[1::2], strict=False)) if _plain(made.state) else {}
    shape, dtype = ints(told.get("shape")), code_of(told.get("dtype"))
    if shape is None or dtype is None:
        return
    if dtype.startswith("O"):
        _nested(machine)
        return
    source = machine.source
    if told.get("numpy_array_alignment_bytes") is not None:
        source.skip(source.take(1)[0])
    begin = source.tell()
    if not dtype[1:].isdecimal():
        return
    width = int(dtype[1:]) * (4 if dtype[0] == "U" else 1)
    if min(shape, default=0) < 0:
        raise Unreadable(FlawKind.BAD_RANGES, f"an array of shape {shape[:8]}", begin)
    size = prod(shape) * width
    source.skip(size)
    memory = Storage(Global("numpy", "ndarray", begin), f"@{begin}", size, prod(shape), None)
    name = CODES.get(dtype, dtype)
    machine.storages[memory.key] = memory
    machine.stack[-1] = Rebuilt(name, shape, strides(shape), 0, memory)


def _plain(pairs: Pairs) -> bool:
    return all(type(key) is str for key in pairs[::2])


def _nested(machine: Machine) -> None:
    source = machine.source
    inner = Machine(source.file, source.budget, source.end)
    inner.depth = machine.depth + 1
    if inner.depth > 20:
        raise Unreadable(FlawKind.LIMIT, "its pickles nest deeper than 20 levels", source.tell())
    inner.built = follow_joblib
    try:
        inner.run()
    finally:
        for mine, its in ((machine.names, inner.names), (machine.calls, inner.calls)):
            for pair, offset in its.items():
                mine.setdefault(pair, offset)
        machine.tricks += inner.tricks
        machine.flaws += inner.flaws
    machine.dropped.append(machine.stack[-1])
    machine.stack[-1] = inner.result
