"""Pickles put together opcode by opcode, as no pickler would write them."""

from __future__ import annotations

import pickle
import struct

STOP = b"."
MARK = b"("
POP = b"0"
REDUCE = b"R"


def proto(version: int = 2) -> bytes:
    return b"\x80" + bytes([version])


def glob(module: str, name: str) -> bytes:
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def text(value: str) -> bytes:
    data = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(data)) + data


def short(value: str) -> bytes:
    data = value.encode()
    return b"\x8c" + bytes([len(data)]) + data


def stack_global(module: bytes, name: bytes) -> bytes:
    return module + name + b"\x93"


def plain(value: object) -> bytes:
    """A value as it is pickled, without the opcodes around it."""
    data = pickle.dumps(value, 2)
    return data[2:-1]


def call(module: str, name: str, *arguments: object) -> bytes:
    return glob(module, name) + plain(arguments) + REDUCE


def whole(body: bytes, version: int = 2) -> bytes:
    return proto(version) + body + STOP
