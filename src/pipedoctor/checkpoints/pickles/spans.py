"""A stretch of a file, or of memory, that is read at any place."""

from __future__ import annotations

from typing import BinaryIO


class Span:
    """`size` bytes of `file` from byte `start`; offsets count from there."""

    __slots__ = ("file", "size", "start")

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        """Take the stretch; the file stays open as long as its opener likes."""
        self.file = file
        self.start = start
        self.size = size

    def at(self, offset: int, size: int) -> bytes:
        """Return up to `size` bytes from `offset`: fewer where the stretch ends."""
        rest = self.size - offset
        size = min(size, rest)
        if offset < 0 or size <= 0:
            return b""
        self.file.seek(self.start + offset)
        return self.file.read(size)


def of_file(file: BinaryIO) -> Span:
    """Return the whole of a file."""
    return Span(file, 0, file.seek(0, 2))
