"""ZIP and tar archives put together byte by byte, with whatever is wrong in them."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

FLAGS = 0


@dataclass(frozen=True)
class Entry:
    """A member, with what its own header says instead of what the directory says."""

    name: str
    data: bytes
    method: int = 0
    flags: int = FLAGS
    local_name: str | None = None
    local_flags: int | None = None
    checksum: int | None = None
    size: int | None = None
    listed: bool = True
    headed: bool = True

    def packed(self) -> bytes:
        if self.method == 8:
            stream = zlib.compressobj(9, zlib.DEFLATED, -15)
            return stream.compress(self.data) + stream.flush()
        return self.data


def zipped(
    *entries: Entry, prefix: bytes = b"", suffix: bytes = b"", comment: bytes = b""
) -> bytes:
    body, directory, count = b"", b"", 0
    for entry in entries:
        packed = entry.packed()
        checksum = zlib.crc32(entry.data) if entry.checksum is None else entry.checksum
        size = len(entry.data) if entry.size is None else entry.size
        offset = len(body)
        if entry.headed:
            name = (entry.local_name or entry.name).encode()
            flags = entry.flags if entry.local_flags is None else entry.local_flags
            body += struct.pack(
                "<4sHHHHHIIIHH",
                b"PK\x03\x04",
                20,
                flags,
                entry.method,
                0,
                0,
                checksum,
                len(packed),
                size,
                len(name),
                0,
            )
            body += name + packed
        if entry.listed:
            name = entry.name.encode()
            directory += struct.pack(
                "<4sHHHHHHIIIHHHHHII",
                b"PK\x01\x02",
                20,
                20,
                entry.flags,
                entry.method,
                0,
                0,
                checksum,
                len(packed),
                size,
                len(name),
                0,
                0,
                0,
                0,
                0,
                offset,
            )
            directory += name
            count += 1
    return prefix + body + directory + end(count, len(directory), len(body), comment) + suffix


def end(count: int, size: int, offset: int, comment: bytes = b"") -> bytes:
    return (
        struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, size, offset, len(comment))
        + comment
    )


def tarred(*members: tuple[bytes, bytes]) -> bytes:
    body = b""
    for name, data in members:
        header = bytearray(512)
        header[: len(name)] = name
        header[100:108] = b"0000644\0"
        header[124:136] = b"%011o\0" % len(data)
        header[136:148] = b"00000000000\0"
        header[148:156] = b" " * 8
        header[156:157] = b"0"
        header[257:265] = b"ustar\x0000"
        header[148:156] = b"%06o\0 " % sum(header)
        body += bytes(header) + data + b"\0" * (-len(data) % 512)
    return body + b"\0" * 1024
