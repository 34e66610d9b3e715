"""
What recurrent layers keep of each turn for the backward pass, where the turns are a loop in a graph.

A graph has the body of a loop once, and does not say how often it runs. What its gradient needs is
put on a list, turn after turn. For the cells of Keras that is counted: of an LSTM the three gates,
the candidate, the cell before and after its tanh, and the output; of a GRU two gates, the
candidate, both of its products and the output; of a SimpleRNN the output. What goes in
is kept as well. cuDNN, which Keras takes on a GPU where it can, keeps about as much.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from pipedoctor.frameworks.fitting.library import Library
from pipedoctor.frameworks.memory.keras_program import Made, Operation, Program
from pipedoctor.frameworks.memory.keras_slots import width

UNITS = {"LSTMCell": 7, "GRUCell": 6, "SimpleRNNCell": 1}
"""
So many values a unit keeps of each turn.

Steps of 512 rows of 200 x 128 with 256 units, on a CPU, took 8.4, 7.4 and 2.1 values a unit and turn,
of which two or three halves are what goes in: counted here are 8.5, 7.5 and 2.5.
"""

LOOPS = frozenset(["While", "StatelessWhile"])
BACKWARD = "gradient_tape"


@dataclass(frozen=True)
class Turns:
    """A recurrent layer that was called: its shape of what is kept, None where that is unknown."""

    shape: tuple[int, ...] | None
    dtype: str


@contextmanager
def watched(library: Library) -> Iterator[list[Turns]]:
    """Note the recurrent layers that are called meanwhile, in the order of their calls."""
    called: list[Turns] = []
    if library.second:
        yield called
        return
    kind = library.module("layers.rnn.rnn").RNN
    before = kind.inner_loop
    kinds = {one for one in _below(kind) if "inner_loop" in vars(one)}
    usual = {one: vars(one)["inner_loop"] for one in kinds}
    depth = [0]

    def noting(own: Any) -> Any:
        def inner_loop(layer: Any, sequences: Any, *words: Any, **more: Any) -> Any:
            if not depth[0]:  # an LSTM hands over to the RNN that it is a kind of
                called.append(_turns(layer, sequences))
            depth[0] += 1
            try:
                return own(layer, sequences, *words, **more)
            finally:
                depth[0] -= 1

        return inner_loop

    try:
        for one, own in usual.items():
            one.inner_loop = noting(own)
        yield called
    finally:
        for one, own in usual.items():
            one.inner_loop = own
        assert kind.inner_loop is before


def _below(kind: Any) -> Iterator[Any]:
    yield kind
    for one in kind.__subclasses__():
        yield from _below(one)


def _turns(layer: Any, sequences: Any) -> Turns:
    cell: Any = getattr(layer, "cell", None)
    name = type(cell).__name__
    own = not type(cell).__module__.startswith("keras.")
    dtype = getattr(getattr(sequences, "dtype", None), "name", "float32")
    shape = getattr(sequences, "shape", None)
    known = shape is not None and len(shape) == 3 and None not in tuple(shape)
    if own or name not in UNITS or not known:
        return Turns(None, dtype)
    rows, turns, features = map(int, tuple(shape or ()))
    return Turns((turns, rows, UNITS[name] * int(cell.units) + features), dtype)


def counted(program: Program, called: list[Turns]) -> Program:
    """
    Return a step with what its loops keep, as outputs of theirs that the backward loops need.

    The loops stay untold where they are not all recurrent layers that were called.
    """
    places = [n for n, one in enumerate(program.operations) if one.name in LOOPS]
    there = [n for n in places if not program.operations[n].module.startswith(BACKWARD)]
    back = [n for n in places if program.operations[n].module.startswith(BACKWARD)]
    known = all(turns.shape is not None for turns in called)
    if not there or len(there) != len(called) or len(back) != len(there) or not known:
        return program
    operations = list(program.operations)
    for forward, backward, turns in zip(there, reversed(back), called, strict=True):
        made = _kept(turns, forward)
        operations[forward] = _with(operations[forward], made)
        held = operations[backward]
        operations[backward] = replace(held, inputs=(*held.inputs, made.key))
    return replace(program, operations=operations, loops=[])


def _with(operation: Operation, made: Made) -> Operation:
    return replace(operation, outputs=(*operation.outputs, made))


def _kept(turns: Turns, number: int) -> Made:
    shape = turns.shape or ()
    size = width(turns.dtype)
    for extent in shape:
        size *= extent
    return Made(("turns", number), size, shape, turns.dtype)
