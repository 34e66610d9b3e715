"""One pickle from its first byte to its verdict and its inventory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import BinaryIO

from pipedoctor.checkpoints.contents import Flaw, FlawKind, Verdict
from pipedoctor.checkpoints.pickles.inventory import Inventory, listed, unfold
from pipedoctor.checkpoints.pickles.limits import Budget, Unreadable
from pipedoctor.checkpoints.pickles.reader import Machine
from pipedoctor.checkpoints.pickles.verdicts import Judgement, judged


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
    judgement = judged(
        machine.names, machine.calls, machine.tricks, own_classes=machine.own_classes
    )
    return Walk(
        machine,
        sobered(judgement, machine.flaws),
        inventory,
        machine.flaws,
        machine.done,
        machine.source.tell(),
    )


def sobered(judgement: Judgement, flaws: list[Flaw]) -> Judgement:
    """Return the verdict on what can't be read as it should: nobody knows what it would run."""
    if not flaws or judgement.verdict is Verdict.UNSAFE:
        return judgement
    return replace(judgement, verdict=Verdict.MALFORMED, reason=flaws[0].message)


def _roots(machine: Machine) -> list[object]:
    """All that loading would make, whether or not it gets into the result."""
    return [
        machine.result,
        machine.stack,
        machine.marked,
        machine.dropped,
        list(machine.memo.values()),
    ]


TORN = frozenset({FlawKind.TRUNCATED, FlawKind.LIMIT})
"""The flaws after which the rest of a file can't be told."""
