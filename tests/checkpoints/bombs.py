"""Files that are small, or claim little, and would cost whoever reads them time or memory."""

from __future__ import annotations

import gzip
import lzma
import struct
import zlib
from collections.abc import Callable

from checkpoints.archives import Entry, zipped
from checkpoints.malicious import BENIGN, torch_zip
from checkpoints.opcodes import POP, STOP, glob, proto, text, whole

FILES: dict[str, Callable[[], bytes]] = {}
_NULLS = 2**20


def _unfolding(make: bytes, levels: int) -> bytes:
    """A list whose two items are the same list, and so on: 2^levels objects written out."""
    body = b"]q\x00"
    for level in range(levels):
        body += b"(h%ch%c%bq%c" % (level, level, make, level + 1)
    return body


def _deflated(piece: bytes, times: int) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    return b"".join([*(stream.compress(piece) for _ in range(times)), stream.flush()])


def _archive_bomb(name: str, claimed: int) -> bytes:
    """A member of a few hundred kilobytes that unpacks to 256 MiB, and says what it likes."""
    packed = _deflated(b"N0" * (_NULLS // 2), 256)
    data = zipped(Entry(name, packed, size=claimed))
    return (
        data.replace(struct.pack("<HHIII", 0, 0, 0, zlib.crc32(packed), len(packed))[:0], b"")
        .replace(b"PK\x03\x04\x14\0\0\0\0\0", b"PK\x03\x04\x14\0\0\0\x08\0")
        .replace(b"PK\x01\x02\x14\0\x14\0\0\0\0\0", b"PK\x01\x02\x14\0\x14\0\0\0\x08\0")
    )


def _nested(depth: int) -> bytes:
    data = zipped(*torch_zip(BENIGN))
    for _ in range(depth):
        data = zipped(Entry("inner.zip", data))
    return data


def _overlapping(count: int) -> bytes:
    """Thousands of entries of the directory that all stand for the same member."""
    data = zipped(Entry("archive/data.pkl", BENIGN))
    begin = data.index(b"PK\x01\x02")
    record = data[begin : data.index(b"PK\x05\x06")]
    directory = record * count
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, len(directory), begin, 0)
    return data[:begin] + directory + end


FILES.update(
    {
        "memo_bomb_lists.pkl": lambda: proto() + _unfolding(b"l", 100) + STOP,
        "memo_bomb_tuples.pkl": lambda: proto() + _unfolding(b"t", 100) + STOP,
        "memo_bomb_dropped.pkl": lambda: proto() + _unfolding(b"t", 100) + POP + b"}" + STOP,
        "deep_tuples.pkl": lambda: whole(b")" + b"\x85" * 200_000),
        "deep_lists.pkl": lambda: whole(b"]" * 200_000 + b"a" * 199_999),
        "deep_tuple_as_key.pkl": lambda: whole(b"}" + b")" + b"\x85" * 200_000 + b"Ns0}"),
        "deep_calls.pkl": lambda: whole(
            glob("torch", "Size") + b"q\x00" + b"h\x00" * 150_000 + b")" + b"\x85R" * 150_000
        ),
        "length_2_62_text.pkl": lambda: whole(b"\x8d" + struct.pack("<Q", 2**62)),
        "length_2_62_bytes.pkl": lambda: whole(b"\x8e" + struct.pack("<Q", 2**62)),
        "length_2_62_array.pkl": lambda: whole(b"\x96" + struct.pack("<Q", 2**62), 5),
        "length_2_32.pkl": lambda: whole(b"X\xff\xff\xff\xff"),
        "length_of_number.pkl": lambda: whole(b"\x8b\xff\xff\xff\x7f"),
        "negative_length.pkl": lambda: whole(b"T\xff\xff\xff\xff"),
        "digits.pkl": lambda: b"I" + b"9" * 900_000 + b"\n.",
        "one_line.pkl": lambda: b"V" + b"a" * 3_000_000,
        "frame_of_a_gigabyte.pkl": lambda: proto(4) + b"\x95" + struct.pack("<Q", 2**30) + b"N.",
        "many_marks.pkl": lambda: whole(b"(" * 3_000_000),
        "many_lists.pkl": lambda: whole(b"]" * 3_000_000),
        "many_numbers.pkl": lambda: whole(b"J\x01\x02\x03\x04" * 4_500_000),
        "many_memos.pkl": lambda: whole(b"N" + b"\x94" * 6_000_000, 4),
        "many_pickles.pkl": lambda: b"N." * 400_000,
        "many_opcodes.pkl": lambda: whole(b"N0" * 4_000_000),
        "many_long_strings.pkl": lambda: whole((text("a" * 60_000) + POP) * 3000),
        "wide_characters.pkl": lambda: whole((text("a" * 60_000 + "\U0001f600") + b"\x94") * 900),
        "gzip_of_a_gigabyte.pkl.gz": lambda: gzip.compress(b"N0" * (128 * _NULLS), 9),
        "xz_of_much.pkl.xz": lambda: lzma.compress(b"N0" * (32 * _NULLS)),
        "zip_bomb.bin": lambda: _archive_bomb("archive/data.pkl", 256 * _NULLS),
        "zip_bomb_that_lies.bin": lambda: _archive_bomb("archive/data.pkl", 1000),
        "zip_bomb_beside.bin": lambda: _archive_bomb("archive/notes.pkl", 256 * _NULLS),
        "nested_archives.zip": lambda: _nested(12),
        "overlapping.bin": lambda: _overlapping(10_000),
        "directory_2_32.bin": lambda: (
            zipped(*torch_zip(BENIGN))[:-22]
            + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 65535, 65535, 2**32 - 1, 2**32 - 1, 0)
        ),
        "header_of_array.npy": lambda: b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**31) + b"{" * 99,
    }
)
