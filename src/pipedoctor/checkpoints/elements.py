"""
The elements of a tensor, read from the file and looked through.

The standard library suffices: a sum is finite only if all its terms are, so one pass in C tells
for most tensors; only where it is not, the elements are counted one by one. Where much is to be
read and numpy is installed, it tells the same from the exponents, at the speed of reading.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from pipedoctor.checkpoints.contents import StoredTensor
from pipedoctor.facts.saved_values import Elements

CHUNK = 1 << 18
"""Bytes at a time, a multiple of every element's size; they stay in the cache of the processor."""

CODES = {"F64": ("d", 8), "F32": ("f", 4), "F16": ("e", 2), "BF16": ("f", 2)}
"""The floating-point types that can be read here: the sign of `struct`, bytes of an element."""

EXPONENTS = {
    "F64": ("u8", 0x7FF0_0000_0000_0000),
    "F32": ("u4", 0x7F80_0000),
    "F16": ("u2", 0x7C00),
    "BF16": ("u2", 0x7F80),
}
"""The integer as wide as a number, and the bits that are all set in NaN and infinity only."""

FINITE = bytes(byte for byte in range(256) if byte & 0x7C != 0x7C)
"""The upper bytes of those float16 whose exponent is not the one of NaN and infinity."""


def readable(tensor: StoredTensor) -> bool:
    """Whether the elements can be read; their order does not matter."""
    size = CODES.get(tensor.dtype, ("", 0))[1]
    return bool(size and tensor.offset is not None and tensor.bytes == tensor.size * size)


def look(file: BinaryIO, tensor: StoredTensor, *, many: bool = False) -> Elements:
    """
    Return what is odd among the elements of a tensor that can be read.

    Where they are `many`, with all tensors that are looked at, importing numpy saves time.
    """
    nan = infinite = seen = 0
    first: int | None = None
    zero = tensor.size > 0
    numpy = _numpy() if many else None
    for data in _chunks(file, tensor):
        zero = zero and data.count(0) == len(data)
        if not (_sound(data, tensor.dtype) if numpy is None else _seen(numpy, data, tensor.dtype)):
            for place, number in enumerate(_numbers(data, tensor.dtype)):
                if math.isfinite(number):
                    continue
                first = seen + place if first is None else first
                nan += math.isnan(number)
                infinite += math.isinf(number)
        seen += len(data) // CODES[tensor.dtype][1]
    return Elements(tensor.size, nan, infinite, first, zero and seen == tensor.size)


def _sound(data: bytes, dtype: str) -> bool:
    """Whether all numbers are finite, if that can be told quickly."""
    if dtype == "F16":
        return not data[1::2].translate(None, FINITE)
    try:
        return math.isfinite(sum(_numbers(data, dtype)))
    except OverflowError:
        return False


def _numpy() -> Any:
    """Return numpy, None where it isn't installed or doesn't work."""
    try:
        import numpy as np
    except Exception:  # noqa: BLE001 - a broken one raises whatever it likes
        return None
    return np


def _seen(numpy: Any, data: bytes, dtype: str) -> bool:
    """Whether all numbers are finite, by the largest exponent."""
    kind, exponent = EXPONENTS[dtype]
    bits = numpy.frombuffer(data, f"<{kind}")
    return not bits.size or int((bits & bits.dtype.type(exponent)).max()) != exponent


def _chunks(file: BinaryIO, tensor: StoredTensor) -> Iterator[bytes]:
    file.seek(tensor.offset or 0)
    left = tensor.bytes or 0
    while left and (data := file.read(min(CHUNK, left))):
        left -= len(data)
        yield data[: len(data) - len(data) % CODES[tensor.dtype][1]]


def _numbers(data: bytes, dtype: str) -> Iterable[float]:
    """Return the numbers that the bytes stand for."""
    if dtype == "BF16":  # the upper half of a float32
        whole = bytearray(2 * len(data))
        whole[2::4], whole[3::4] = data[0::2], data[1::2]
        return memoryview(whole).cast("f")
    if dtype == "F16":
        return (number for (number,) in struct.iter_unpack("<e", data))
    return memoryview(data).cast("d" if dtype == "F64" else "f")
