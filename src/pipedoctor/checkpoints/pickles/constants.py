"""The opcodes that push a constant: how many bytes they take, and what those stand for."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from struct import unpack
from typing import BinaryIO

from pipedoctor.checkpoints.contents import FlawKind
from pipedoctor.checkpoints.pickles.limits import KEPT, LINE, Budget, Unreadable
from pipedoctor.checkpoints.pickles.nodes import Long, Unknown

_CHUNK = 2**20
_DIGITS = 4300  # what Python itself converts at most by default


class Source:
    """The bytes of a pickle: no more is ever taken than there is."""

    __slots__ = ("budget", "end", "file", "read")

    def __init__(self, file: BinaryIO, budget: Budget, end: int | None) -> None:
        """Read `file` from where it stands up to `end`, None where it can't be known."""
        self.file = file
        self.read = file.read
        self.budget = budget
        self.end = end

    def tell(self) -> int:
        """Return the offset of the next byte."""
        return self.file.tell()

    def take(self, size: int) -> bytes:
        """Return the next bytes, at most a few."""
        data = self.read(size)
        if len(data) != size:
            raise self.truncated(size - len(data))
        return data

    def line(self) -> bytes:
        """Return the rest of a line, without its end."""
        data = self.file.readline(LINE)
        if not data.endswith(b"\n"):
            if len(data) < LINE:
                raise self.truncated(1)
            raise Unreadable(
                FlawKind.LIMIT, f"a line of it is longer than {LINE:,} bytes", self.tell()
            )
        if len(data) > KEPT // 16:
            self.budget.charge(2 * len(data))
        return data[:-1]

    def content(self, size: int) -> bytes | Long:
        """Return the next bytes, or a mark in their place where they are many."""
        if size <= KEPT:
            if size > 64:
                self.budget.charge(size)
            return self.take(size)
        begin = self.tell()
        self.skip(size)
        return Long(size, begin)

    def skip(self, size: int) -> None:
        """Pass over bytes."""
        if self.end is not None:
            here = self.tell()
            if size > self.end - here:
                raise self.truncated(size - (self.end - here))
            self.file.seek(here + size)
            return
        while size > 0:
            size -= len(self.take(min(size, _CHUNK)))
            self.budget.tick()

    def truncated(self, missing: int) -> Unreadable:
        """Tell that the file ends too early."""
        end = self.tell() if self.end is None else self.end
        return Unreadable(
            FlawKind.TRUNCATED, f"it ends at byte {end:,}, at least {missing:,} too early", end
        )


def _number(digits: bytes) -> int:
    if len(digits) > _DIGITS:
        raise Unreadable(FlawKind.LIMIT, f"a number of it has {len(digits):,} digits")
    return int(digits, 0)


def _int(source: Source) -> object:
    line = source.line()
    if line in {b"00", b"01"}:
        return line == b"01"
    return _number(line)


def _long(source: Source) -> object:
    return _number(source.line().removesuffix(b"L"))


def _counted_long(source: Source, size: int) -> object:
    data = source.content(size)
    return data if isinstance(data, Long) else int.from_bytes(data, "little", signed=True)


def _long4(source: Source) -> object:
    size = unpack("<i", source.take(4))[0]
    if size < 0:
        raise ValueError("a number of negative length")
    return _counted_long(source, size)


def _text(source: Source, size: int) -> object:
    data = source.content(size)
    if isinstance(data, Long):
        return data
    text = data.decode("utf-8", "surrogatepass")
    if size > 64:
        source.budget.charge(3 * size)  # one character beyond the basic plane makes all wide
    return text


def _old_text(data: bytes | Long) -> object:
    """Decode a string of Python 2 as ASCII, and leave it as bytes where it isn't."""
    if isinstance(data, Long):
        return data
    try:
        return data.decode("ascii")
    except UnicodeDecodeError:
        return data


def _quoted(source: Source) -> object:
    line = source.line()
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in {b"'", b'"'}:
        raise ValueError("a string without its quotes")
    return _old_text(codecs.escape_decode(line[1:-1])[0])


def _signed_content(source: Source) -> object:
    size = unpack("<i", source.take(4))[0]
    if size < 0:
        raise ValueError("a string of negative length")
    return _old_text(source.content(size))


def _unicode_line(source: Source) -> object:
    return source.line().decode("raw-unicode-escape")


def _float_line(source: Source) -> object:
    return float(source.line())


def _u8(source: Source) -> int:
    return source.take(1)[0]


def _u32(source: Source) -> int:
    size: int = unpack("<I", source.take(4))[0]
    return size


def _u64(source: Source) -> int:
    size: int = unpack("<Q", source.take(8))[0]
    return size


CONSTANTS: dict[bytes, tuple[Callable[[Source], object], int]] = {
    b"N": (lambda _: None, 8),
    b"\x88": (lambda _: True, 8),
    b"\x89": (lambda _: False, 8),
    b"I": (_int, 48),
    b"J": (lambda s: unpack("<i", s.take(4))[0], 40),
    b"K": (_u8, 8),
    b"M": (lambda s: unpack("<H", s.take(2))[0], 40),
    b"L": (_long, 48),
    b"\x8a": (lambda s: _counted_long(s, _u8(s)), 96),
    b"\x8b": (_long4, 48),
    b"F": (_float_line, 40),
    b"G": (lambda s: unpack(">d", s.take(8))[0], 40),
    b"S": (_quoted, 72),
    b"T": (_signed_content, 72),
    b"U": (lambda s: _old_text(s.content(_u8(s))), 128),
    b"B": (lambda s: s.content(_u32(s)), 112),
    b"C": (lambda s: s.content(_u8(s)), 112),
    b"\x8e": (lambda s: s.content(_u64(s)), 112),
    b"\x96": (lambda s: s.content(_u64(s)), 128),
    b"V": (_unicode_line, 96),
    b"X": (lambda s: _text(s, _u32(s)), 128),
    b"\x8c": (lambda s: _text(s, _u8(s)), 128),
    b"\x8d": (lambda s: _text(s, _u64(s)), 128),
    b")": (lambda _: (), 8),
    b"]": (lambda _: [], 72),
    b"\x97": (lambda _: Unknown(), 32),
}
"""Opcode -> how its constant is read, and the bytes of memory that it is charged with."""

FAULTS = (ValueError, OverflowError)
"""What decoding raises where the bytes mean nothing; UnicodeDecodeError is a ValueError."""
