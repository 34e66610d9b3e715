"""A machine that follows a pickle without running it: calls are written down, never made."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from pipedoctor.checkpoints.contents import Flaw, FlawKind
from pipedoctor.checkpoints.pickles.actions import ACTIONS
from pipedoctor.checkpoints.pickles.constants import CONSTANTS, FAULTS, Source
from pipedoctor.checkpoints.pickles.limits import Budget, Unreadable
from pipedoctor.checkpoints.pickles.memo import Memo
from pipedoctor.checkpoints.pickles.nodes import Call, Global, Storage
from pipedoctor.checkpoints.pickles.old_names import today
from pipedoctor.checkpoints.pickles.rebuilding import rebuilt, storage
from pipedoctor.checkpoints.pickles.trusted import SET_UP_BY_STATE
from pipedoctor.checkpoints.pickles.verdicts import shown

_MARK = 72  # what a mark was charged with
_ROUND = 1024  # opcodes between two looks at the clock


class Machine:
    """
    The state of one pickle: stack, memo, and all that it names and calls.

    It keeps to what Python's own unpickler does, opcode by opcode, because a difference between
    the two is where a program would hide.
    """

    def __init__(self, file: BinaryIO, budget: Budget, end: int | None) -> None:
        """Make ready to read `file` from where it stands."""
        self.source: Source = Source(file, budget, end)
        self.stack: list[object] = []
        self.marked: list[list[object]] = []
        self.memo: Memo = Memo()
        self.names: dict[tuple[str, str], int] = {}
        """Each global, and the byte at which it is first named."""
        self.calls: dict[tuple[str, str], int] = {}
        """Those of them that are called, and the byte of the first call."""
        self.made: set[tuple[str, str]] = set()
        """The classes of which an object is made without arguments, as picklers do."""
        self.modules: set[tuple[str, str]] = set()
        """Those of them whose objects are given the state of a module of PyTorch."""
        self.ran: set[tuple[str, str]] = set()
        """The globals with which anything else is done."""
        self.tricks: list[tuple[str, int]] = []
        """What no pickler writes: computed names and calls, and changes of classes."""
        self.flaws: list[Flaw] = []
        self.dropped: list[object] = []
        """What was taken off again: it would be made all the same."""
        self.storages: dict[str, Storage] = {}
        self.built: Callable[[Machine, Call], None] | None = None
        """Called after BUILD, where a loader reads on in the file by itself."""
        self.persistent: Callable[[object], object] = storage
        """What a persistent id stands for, None where nobody knows."""
        self.depth = 0
        """How many pickles it stands in."""
        self.own_classes = False
        """Whether it is part of a TorchScript archive, whose classes are in its own code."""
        self.protocol = 0
        self.result: object = None
        self.done = False

    def run(self) -> None:
        """Follow the pickle to its STOP, or raise `Unreadable`."""
        source, budget = self.source, self.source.budget
        read = source.file.read
        count = weights = 0
        while not self.done:
            code = read(1)
            count += 1
            if count == _ROUND:
                budget.charge(weights)
                budget.step(count)
                count = weights = 0
            try:
                if code in CONSTANTS:
                    constant, weight = CONSTANTS[code]
                    self.stack.append(constant(source))
                else:
                    action, weight = ACTIONS[code]
                    action(self)
                weights += weight
            except KeyError:
                raise self._no_such(code) from None
            except IndexError:
                raise self._malformed(f"opcode {code!r} finds nothing on the stack") from None
            except FAULTS as error:
                raise self._malformed(
                    f"opcode {code!r} has a bad argument: {error}"[:200]
                ) from None
        budget.charge(weights)
        budget.step(count)

    def _no_such(self, code: bytes) -> Unreadable:
        if not code:
            return self.source.truncated(1)
        if code in ACTIONS:
            return self._malformed(f"opcode {code!r} asks for what isn't in the memo")
        return self._malformed(f"byte 0x{code[0]:02x} is no opcode")

    def _malformed(self, message: str) -> Unreadable:
        at = max(self.source.tell() - 1, 0)
        return Unreadable(FlawKind.BAD_HEADER, f"{message}, at byte {at:,}", at)

    def flaw(self, kind: FlawKind, message: str) -> None:
        """Remember a flaw that some loaders pass over."""
        self.flaws.append(Flaw(kind, message, offset=self.source.tell()))

    def trick(self, message: str) -> None:
        """Remember what no pickler writes."""
        if len(self.tricks) < 100:
            self.tricks.append((message, max(self.source.tell() - 1, 0)))

    def pop_mark(self) -> list[object]:
        """Return what was pushed since the last mark."""
        items = self.stack
        self.stack = self.marked.pop()
        self.source.budget.room += _MARK
        return items

    def name(self, module: str, name: str, offset: int) -> Global:
        """Write down that a global is named, by today's name."""
        pair = today(module, name)
        self.names.setdefault(pair, offset)
        return Global(*pair, offset)

    def call(self, function: object, arguments: object, *, new: bool = False) -> object:
        """
        Write down a call, and return what stands for its result.

        With `new` an object is made of a class without the code that would set it up.
        """
        if type(function) is not Global:
            self.trick("calls what it has computed")
            return Call(function, arguments)
        if not new and (function.pair in SET_UP_BY_STATE or _sets_up(function, arguments)):
            self.trick(f"calls {shown('.'.join(function.pair))} as no pickler does")
        (self.made if new and arguments == () else self.ran).add(function.pair)
        self.calls.setdefault(function.pair, max(self.source.tell() - 1, 0))
        return rebuilt(function, arguments) or Call(function, arguments)


def _sets_up(function: Global, arguments: object) -> bool:
    """Whether an old way to make an object calls a class that is none of Python's own."""
    if function.pair != ("copyreg", "_reconstructor"):
        return False
    base = arguments[1] if isinstance(arguments, tuple) and len(arguments) == 3 else None
    return type(base) is not Global or base.module != "builtins"
