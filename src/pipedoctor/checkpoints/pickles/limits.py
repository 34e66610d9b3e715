"""What reading one file may cost at most, however the file is made."""

from __future__ import annotations

from time import thread_time

from pipedoctor.checkpoints.contents import FlawKind

SECONDS = 4.2
"""
Of this thread's processor time: a machine that is busy elsewhere makes no file look worse.

A file is to be told within 5 s and 200 MB of a process; the rest is for its start.
"""
OPCODES = 5_000_000
"""A hundred thousand tensors take about four million."""
MEMORY = 170_000_000
"""What the objects of a file may take, by a cautious estimate."""
UNPACKED = 48 * 2**20
"""The bytes that are read of a packed member, or of a pickle inside an archive."""
KEPT = 65536
"""A longer string or row of bytes is passed over: its length is remembered, not its content."""
LINE = 2**20
"""The longest line: names, and numbers in digits."""
DEPTH = 1000
"""Python's own pickler doesn't nest deeper: it would reach the limit of recursion."""
OBJECTS = 100_000_000
"""The objects that a file may stand for once all that is shared has been written out."""
NESTED = 3
"""Archives within archives."""
MEMBERS = 100_000
"""The members of an archive."""


class Unreadable(Exception):  # noqa: N818 - it tells of the file, and is no error of ours
    """A file can't be read on: the kind of flaw, what is wrong, and at which byte."""

    def __init__(self, kind: FlawKind, message: str, offset: int | None = None) -> None:
        """Remember what the flaw will say."""
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.offset = offset


class Budget:
    """What is left of the limits while one file is read, its nested ones included."""

    __slots__ = ("deadline", "opcodes", "room")

    def __init__(self, opcodes: int = OPCODES) -> None:
        """Begin to count."""
        self.deadline = thread_time() + SECONDS
        self.opcodes = opcodes
        self.room = MEMORY

    def charge(self, size: int) -> None:
        """Take `size` bytes of memory."""
        self.room -= size
        if self.room < 0:
            raise Unreadable(
                FlawKind.LIMIT, f"its objects take more than {MEMORY:,} bytes of memory"
            )

    def step(self, opcodes: int) -> None:
        """Count opcodes, and look at the clock."""
        self.opcodes -= opcodes
        if self.opcodes < 0:
            raise Unreadable(FlawKind.LIMIT, f"it has more than {OPCODES:,} opcodes")
        self.tick()

    def tick(self) -> None:
        """Stop where the time is up."""
        if thread_time() > self.deadline:
            raise Unreadable(
                FlawKind.LIMIT, f"reading it takes longer than {SECONDS} s of processor time"
            )
