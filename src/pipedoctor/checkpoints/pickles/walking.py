"""One pickle from its first byte to its verdict and its inventory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BufferedReader
from typing import BinaryIO

from pipedoctor.checkpoints.contents import Flaw, FlawKind, Verdict
from pipedoctor.checkpoints.pickles import whole_models
from pipedoctor.checkpoints.pickles.inventory import Inventory, listed, unfold
from pipedoctor.checkpoints.pickles.limits import Budget, Unreadable
from pipedoctor.checkpoints.pickles.reader import Machine
from pipedoctor.checkpoints.pickles.verdicts import Judgement, judged, worst


@dataclass
class Walk:
    """What came of one pickle; `end` is the byte after it where it is whole."""

    machine: Machine
    judgement: Judgement
    inventory: Inventory
    flaws: list[Flaw]
    whole: bool
    end: int

    @property
    def top(self) -> object:
        """The object that it holds, as nodes."""
        return self.machine.result

    @property
    def limited(self) -> bool:
        """Whether it was given up at a limit."""
        return _limited(self.flaws)


def _limited(flaws: list[Flaw]) -> bool:
    return any(flaw.kind is FlawKind.LIMIT for flaw in flaws)


def walk(
    file: BinaryIO,
    budget: Budget,
    end: int | None,
    prepare: Callable[[Machine], None] | None = None,
) -> Walk:
    """Follow the pickle at which `file` stands; `prepare` may set the machine's hooks."""
    machine = Machine(file, budget, end)
    if prepare is not None:
        prepare(machine)
    inventory = Inventory()
    try:
        machine.run()
        unfold(_roots(machine), budget)
        inventory = listed(machine.result, budget)
    except Unreadable as problem:
        machine.flaws.append(Flaw(problem.kind, problem.message, offset=problem.offset))

    def whole_model(pairs: list[tuple[str, str]]) -> bool:
        try:
            ran = machine.ran | whole_models.handed_over(_roots(machine), budget)
        except Unreadable:
            return False
        return whole_models.classes(pairs, ran, machine.modules, machine.made)

    judgement = judged(
        machine.names,
        machine.calls,
        machine.tricks,
        own_classes=machine.own_classes,
        whole_model=whole_model,
    )
    return Walk(
        machine,
        sobered(judgement, machine.flaws),
        inventory,
        machine.flaws,
        machine.done and not _limited(machine.flaws),
        machine.source.tell(),
    )


def sobered(judgement: Judgement, flaws: list[Flaw]) -> Judgement:
    """Return the verdict on what can't be read as it should: nobody knows what it would run."""
    if not flaws or judgement.verdict is Verdict.UNSAFE:
        return judgement
    return Judgement(Verdict.MALFORMED, flaws[0].message, judgement.offender, judgement.offset)


def _roots(machine: Machine) -> list[object]:
    """All that loading would make, whether or not it gets into the result."""
    return [
        machine.result,
        machine.stack,
        machine.marked,
        machine.dropped,
        machine.memo.values(),
    ]


_OF_A_PICKLE = 1000
"""What a pickle of a row is charged with, so that a hundred thousand of them are the most."""


def runs(found: Walk) -> bool:
    """
    Whether a walk shows what would run: one to its end, or one with a call that isn't allowed.

    Bytes that are no pickle may name things by chance; a call hardly comes by chance.
    """
    return found.whole or (found.judgement.verdict is Verdict.UNSAFE and bool(found.machine.calls))


@dataclass(frozen=True)
class Row:
    """Several pickles, one after the other; `end` is where something else begins."""

    judgement: Judgement
    flaws: list[Flaw]
    count: int
    end: int


def following(file: BinaryIO, size: int | None, budget: Budget) -> Row:
    """Follow all the pickles from where `file` stands."""
    found = Judgement(Verdict.ALLOWED)
    flaws: list[Flaw] = []
    begin, count = file.tell(), 0
    while begin < size if size is not None else _more(file):
        after = walk(file, budget, size)
        if runs(after) or after.limited:
            found = worst([found, after.judgement])
            flaws += after.flaws
        if not after.whole:
            break
        count += 1
        budget.room -= _OF_A_PICKLE
        begin = after.end
    return Row(found, flaws, count, begin)


def _more(file: BinaryIO) -> bool:
    return isinstance(file, BufferedReader) and bool(file.peek(1))
