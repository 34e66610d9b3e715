"""
A training step as a list of operations, and what of it is live at its peak.

TensorFlow and JAX tell a step as a graph. What an operation makes is there until the last one that
needs it has run, in the order in which they were traced; what the backward pass needs of the
forward one is so found by itself. Both run it in an order of their own, and fuse operations where
XLA compiles them: the figures are an estimate, and are told as one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace
from enum import IntEnum

from pipedoctor.frameworks.memory.ledger import GRADIENTS, INPUTS, Entry
from pipedoctor.frameworks.memory.step import ACTIVATIONS, BACKWARD, FORWARD, TEMPORARY, Pass


class Fuses(IntEnum):
    """What a compiler makes of an operation."""

    NEVER = 0
    """It is a kernel of its own, and needs its inputs in memory."""
    TAKES = 1
    """It computes its inputs as it goes, as a sum does; what it makes is in memory."""
    ONCE = 2
    """Element by element, and costly: it is computed where it is needed, if that is one place."""
    ALWAYS = 3
    """Element by element, and cheap: it is computed wherever it is needed."""


@dataclass(frozen=True)
class Made:
    """A value: its bytes, shape and dtype, under the identity that operations know it by."""

    key: Hashable
    size: int
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class Operation:
    """
    One operation; with `views`, its first output is its first input under another shape.

    With `in_place`, it writes into an input of the same size that nothing else needs. `fuses` says
    what a compiler makes of it. `within` are the bytes that it takes while it runs, as the body of
    a loop does.
    """

    name: str
    module: str
    inputs: tuple[Hashable, ...]
    outputs: tuple[Made, ...]
    views: bool = False
    in_place: bool = False
    fuses: Fuses = Fuses.NEVER
    within: int = 0


@dataclass
class Program:
    """A step: what goes in, its operations, which of them computes the loss, what comes out."""

    inputs: list[Made]
    operations: list[Operation]
    backward: int
    """The number of the first operation of the backward pass."""
    gradients: frozenset[Hashable]
    loops: list[str] = field(default_factory=list)
    """Loops of which it is not known how often they run, or what they keep."""


def pruned(program: Program) -> Program:
    """Return a step without what its backward pass computes and nothing needs."""
    needed = set(program.gradients)
    kept: list[Operation] = []
    for place in range(len(program.operations) - 1, -1, -1):
        operation = program.operations[place]
        if place < program.backward or any(made.key in needed for made in operation.outputs):
            needed.update(operation.inputs)
            kept.append(operation)
    return replace(program, operations=kept[::-1])


def as_ready(program: Program) -> Program:
    """Return a step in the order in which its operations come to be ready, first come first served."""
    makers = {
        made.key: n for n, operation in enumerate(program.operations) for made in operation.outputs
    }
    waits: list[int] = []
    after: dict[int, list[int]] = {}
    for number, operation in enumerate(program.operations):
        needed = {makers[key] for key in operation.inputs if key in makers}
        waits.append(len(needed))
        for one in needed:
            after.setdefault(one, []).append(number)
    queue = deque(number for number, count in enumerate(waits) if not count)
    order: list[int] = []
    while queue:
        number = queue.popleft()
        order.append(number)
        for one in after.get(number, ()):
            waits[one] -= 1
            if not waits[one]:
                queue.append(one)
    needed_later = {
        key for operation in program.operations[program.backward :] for key in operation.inputs
    }
    backward = 1 + max(
        (
            place
            for place, number in enumerate(order)
            if number < program.backward
            and any(made.key in needed_later for made in program.operations[number].outputs)
        ),
        default=len(order) - 1,
    )
    return replace(program, operations=[program.operations[n] for n in order], backward=backward)


MOST_READ = 4
"""What would need more values from memory than this is computed once, and kept."""


def fused(program: Program) -> Program:
    """Return a step as a compiler has it: what is cheap is computed anew where it is needed."""
    users: dict[Hashable, list[Operation]] = {}
    for operation in program.operations:
        for key in operation.inputs:
            users.setdefault(key, []).append(operation)
    roots: dict[Hashable, tuple[Hashable, ...]] = {}
    kept: list[Operation] = []
    backward = program.backward
    for place, operation in enumerate(program.operations):
        read = dict.fromkeys(root for key in operation.inputs for root in roots.get(key, (key,)))
        outputs = {made.key for made in operation.outputs}
        there = [user for key in outputs for user in users.get(key, ())]
        gone = (
            operation.fuses >= Fuses.ONCE
            and not outputs & program.gradients
            and len(read) <= MOST_READ
            and all(user.fuses > Fuses.NEVER for user in there)
            and (operation.fuses is Fuses.ALWAYS or len(there) <= 1)
        )
        if gone:
            roots.update(dict.fromkeys(outputs, tuple(read)))
            backward -= place < program.backward
        else:
            kept.append(replace(operation, inputs=tuple(read)))
    return replace(program, operations=kept, backward=backward)


@dataclass
class _Storage:
    made: Made
    operation: Operation | None
    born: int
    last: int


def taken(program: Program) -> Pass:
    """Return what a step takes besides weights and the states of an optimizer."""
    storages = list(_storages(program))
    end = len(program.operations)
    born: dict[int, list[int]] = {}
    dying: dict[int, list[int]] = {}
    for number, storage in enumerate(storages):
        born.setdefault(storage.born, []).append(number)
        dying.setdefault(storage.last, []).append(number)
    live = sum(storages[n].made.size for n in born.get(-1, ()))
    peaks = {FORWARD: (live, -1), BACKWARD: (0, program.backward)}
    for place, operation in enumerate(program.operations):
        live += sum(storages[n].made.size for n in born.get(place, ()))
        phase = FORWARD if place < program.backward else BACKWARD
        if live + operation.within > peaks[phase][0]:
            peaks[phase] = (live + operation.within, place)
        live -= sum(storages[n].made.size for n in dying.get(place, ()) if storages[n].last < end)
    moment = max(peaks, key=lambda phase: peaks[phase][0])
    peak, place = peaks[moment]
    entries = [
        _entry(storage, program) for storage in storages if storage.born <= place <= storage.last
    ]
    parts: dict[str, int] = {}
    for entry in entries:
        parts[entry.kind] = parts.get(entry.kind, 0) + entry.size
    within = program.operations[place].within if place >= 0 else 0
    if within:
        parts[TEMPORARY] = parts.get(TEMPORARY, 0) + within
    kept = sum(s.made.size for s in storages if 0 <= s.born < program.backward <= s.last)
    return Pass(
        peak=peak,
        moment=moment,
        parts=parts,
        entries=[entry for entry in entries if entry.kind in {ACTIVATIONS, TEMPORARY}],
        after_forward=kept,
        storages=len(storages),
    )


def _storages(program: Program) -> Iterable[_Storage]:  # noqa: C901 - one pass over all operations
    """Return every piece of memory, with the operations that it comes with and goes after."""
    end = len(program.operations)
    last: dict[Hashable, int] = dict.fromkeys(program.gradients, end)
    holder: dict[Hashable, Hashable] = {}
    for operation in program.operations:  # a view keeps what it looks at
        if operation.views and operation.outputs and operation.inputs:
            holder[operation.outputs[0].key] = holder.get(operation.inputs[0], operation.inputs[0])
    for key in program.gradients:
        last[holder.get(key, key)] = end
    for place, operation in enumerate(program.operations):
        for key in operation.inputs:
            whole = holder.get(key, key)
            last[whole] = max(last.get(whole, -1), place)
    storages: dict[Hashable, _Storage] = {
        made.key: _Storage(made, None, -1, end) for made in program.inputs
    }
    for place, operation in enumerate(program.operations):
        for number, made in enumerate(operation.outputs):
            if holder.get(made.key, made.key) != made.key:
                continue
            reused = None
            if operation.in_place and number == 0:
                reused = next(
                    (
                        storages[key]
                        for key in (holder.get(key, key) for key in operation.inputs)
                        if key in storages
                        and storages[key].born >= 0
                        and storages[key].last == place
                        and storages[key].made.size == made.size
                    ),
                    None,
                )
            until = last.get(made.key, place)
            if reused is not None:
                reused.last = until
                storages[made.key] = reused
            else:
                storages[made.key] = _Storage(made, operation, place, until)
    return list({id(storage): storage for storage in storages.values()}.values())


def _entry(storage: _Storage, program: Program) -> Entry:
    made, operation = storage.made, storage.operation
    if operation is None:
        kind = INPUTS
    elif storage.last == len(program.operations):
        kind = GRADIENTS
    elif storage.born < program.backward <= storage.last:
        kind = ACTIVATIONS
    else:
        kind = TEMPORARY
    return Entry(
        size=made.size,
        kind=kind,
        name=operation.name if operation is not None else "",
        shape=made.shape,
        dtype=made.dtype,
        module=operation.module if operation is not None else "",
        phase=FORWARD if storage.born < program.backward else BACKWARD,
    )
