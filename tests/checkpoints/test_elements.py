"""What is odd among the elements of a tensor, by the standard library alone."""

from __future__ import annotations

import io
import math
import struct
import sys

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


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf, None])
@pytest.mark.parametrize("dtype", sorted(LARGEST))
def test_numpy_tells_the_same(
    dtype: str, odd: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("numpy")
    numbers = [LARGEST[dtype], -LARGEST[dtype], 0.0, -1.0] * 250
    if odd is not None:
        numbers[777] = odd
    data = packed(dtype, numbers)
    tensor = StoredTensor((len(numbers),), dtype, bytes=len(data), offset=0)
    monkeypatch.setattr(elements, "CHUNK", 512)
    alone = elements.look(io.BytesIO(data), tensor)
    monkeypatch.setattr(elements, "_sound", None)  # it isn't asked
    assert elements.look(io.BytesIO(data), tensor, many=True) == alone
    assert alone.first == (None if odd is None else 777)


def test_without_numpy_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    data = packed("F32", [1.0, math.nan])
    found = elements.look(
        io.BytesIO(data), StoredTensor((2,), "F32", bytes=len(data), offset=0), many=True
    )
    assert (found.nan, found.first) == (1, 1)


def test_a_tensor_that_is_not_there_is_not_zero() -> None:
    tensor = StoredTensor((4,), "F32", bytes=16, offset=0)
    assert elements.look(io.BytesIO(bytes(16)), tensor).all_zero
    assert not elements.look(io.BytesIO(bytes(8)), tensor).all_zero
