"""What is odd among the elements of a tensor, by the standard library alone."""

from __future__ import annotations

import io
import math
import struct

import pytest

from pipedoctor.checkpoints import elements
from pipedoctor.checkpoints.contents import StoredTensor

LARGEST = {"F64": 1.7e308, "F32": 3.4e38, "F16": 65504.0, "BF16": 3.3e38}


def packed(dtype: str, numbers: list[float]) -> bytes:
    if dtype == "BF16":
        halves = (struct.pack("<f", number)[2:] for number in numbers)
        return b"".join(halves)
    sign = elements.CODES[dtype][0]
    return struct.pack(f"<{len(numbers)}{sign}", *numbers)


@pytest.mark.parametrize("dtype", sorted(LARGEST))
def test_each_type(dtype: str) -> None:
    large = LARGEST[dtype]
    for numbers, nan, infinite, first, zero in (
        ([large, large, large, -1.0], 0, 0, None, False),
        ([0.0, 1.0, math.nan], 1, 0, 2, False),
        ([math.inf, -math.inf, 2.0], 0, 2, 0, False),
        ([0.0, 0.0], 0, 0, None, True),
    ):
        data = packed(dtype, numbers)
        tensor = StoredTensor((len(numbers),), dtype, bytes=len(data), offset=3)
        assert elements.readable(tensor)
        found = elements.look(io.BytesIO(b"xyz" + data), tensor)
        assert (found.nan, found.infinite, found.first) == (nan, infinite, first)
        assert found.all_zero is zero


def test_what_can_not_be_read() -> None:
    assert not elements.readable(StoredTensor((2,), "F32", bytes=8))
    assert not elements.readable(StoredTensor((2,), "I64", bytes=16, offset=0))
