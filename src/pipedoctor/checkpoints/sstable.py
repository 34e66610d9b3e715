"""The table of sorted names that TensorFlow's `.index` files are: its blocks, checked and read."""

from __future__ import annotations

from collections.abc import Iterator

from pipedoctor.checkpoints.opening import Source

FOOTER = 48
LARGEST_BLOCK = 4 * 2**20
"""Blocks are written with 256 KiB; only a longer name makes one larger."""


class Damaged(Exception):  # noqa: N818 - a state of the file, told as a flaw
    """A block isn't what it should be; `offset` is where."""

    def __init__(self, message: str, offset: int, *, checksum: bool = False) -> None:
        """Remember the place, and whether only the checksum differs."""
        super().__init__(message)
        self.offset = offset
        self.checksum = checksum


class Compressed(Exception):  # noqa: N818 - likewise
    """A block is compressed, which TensorFlow doesn't do for checkpoints."""


def entries(source: Source) -> Iterator[tuple[bytes, bytes]]:
    """
    Yield names and values in their order.

    Raises:
        Damaged: A block can't be read, or its checksum differs.
        Compressed: A block is compressed.

    """
    footer_at = source.size - FOOTER
    footer = source.read(footer_at, FOOTER)
    if len(footer) < FOOTER:
        raise Damaged("it is shorter than the record that ends a table", 0)
    at = varint(footer, varint(footer, 0)[1])[1]  # the first block describes the table itself
    offset, at = varint(footer, at)
    size, at = varint(footer, at)
    for _, handle in _block(source, offset, size, footer_at):
        begin, at = varint(handle, 0)
        length, at = varint(handle, at)
        yield from _block(source, begin, length, footer_at)


def varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number of variable length at a place, and where it ends."""
    value = shift = 0
    for place in range(at, min(at + 10, len(data))):
        value |= (data[place] & 127) << shift
        if data[place] < 128:
            return value, place + 1
        shift += 7
    raise Damaged("a number has no end", at)


def _block(source: Source, offset: int, size: int, limit: int) -> Iterator[tuple[bytes, bytes]]:
    if size > LARGEST_BLOCK or offset + size + 5 > limit or size < 4:
        raise Damaged(f"a block of {size:,} bytes at {offset:,} doesn't fit into it", offset)
    data = source.read(offset, size + 5)
    block, kind, stated = data[:size], data[size], int.from_bytes(data[size + 1 :], "little")
    if kind == 1:
        raise Compressed
    if unmasked(stated) != crc32c(data[: size + 1]):
        raise Damaged(
            f"the checksum of its block at byte {offset:,} differs", offset, checksum=True
        )
    restarts = int.from_bytes(block[-4:], "little")
    end = size - 4 - 4 * restarts
    if end < 0:
        raise Damaged(f"its block at {offset:,} has no room for its own table", offset)
    at, name = 0, b""
    while at < end:
        shared, at = varint(block, at)
        own, at = varint(block, at)
        length, at = varint(block, at)
        if shared > len(name) or at + own + length > end:
            raise Damaged(f"an entry of its block at {offset:,} goes beyond it", offset + at)
        name = name[:shared] + block[at : at + own]
        at += own
        yield name, block[at : at + length]
        at += length


def unmasked(stated: int) -> int:
    """Return a checksum as it was before it was stored: rotated, and with a constant added."""
    rotated = (stated - 0xA282EAD8) & 0xFFFFFFFF
    return ((rotated >> 17) | (rotated << 15)) & 0xFFFFFFFF


def crc32c(data: bytes) -> int:
    """Return the checksum of Castagnoli."""
    value, table = 0xFFFFFFFF, _TABLE or _fill()
    for byte in data:
        value = table[(value ^ byte) & 255] ^ (value >> 8)
    return value ^ 0xFFFFFFFF


_TABLE: list[int] = []


def _fill() -> list[int]:
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ 0x82F63B78 if value & 1 else value >> 1
        _TABLE.append(value)
    return _TABLE
