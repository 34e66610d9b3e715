"""Whatever the bytes, an answer; and no damage that can be seen passes unseen."""

from __future__ import annotations

from pathlib import Path

import pytest
from checkpoints import fixtures
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipedoctor.checkpoints import formats
from pipedoctor.checkpoints.contents import Contents, Verdict

VALID = fixtures.VALID
QUICK = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
LONG = settings(QUICK, max_examples=20_000)

CHANGES = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=6
)


def found(folder: Path, name: str, data: bytes) -> Contents:
    (folder / name).write_bytes(data)
    if name.endswith(".index"):
        (folder / "model.data-00000-of-00001").write_bytes(fixtures.tf_data())
    return formats.read(str(folder / name))


@pytest.mark.parametrize("name", VALID)
def test_a_cut_file_is_told(name: str, tmp_path: Path) -> None:
    whole = VALID[name]
    assert found(tmp_path, name, whole).flaws == ()
    for part in range(64):
        cut = found(tmp_path, name, whole[: len(whole) * part // 64])
        assert cut.flaws, part
        assert cut.verdict in {Verdict.MALFORMED, Verdict.UNSUPPORTED}, part


@pytest.mark.deep
@pytest.mark.parametrize("name", VALID)
def test_a_file_cut_anywhere_is_told(name: str, tmp_path: Path) -> None:
    for length in range(len(VALID[name])):
        cut = found(tmp_path, name, VALID[name][:length])
        assert cut.flaws, length
        assert cut.verdict is not Verdict.ALLOWED, length


FLIPPED = {
    "model.safetensors": range(8),
    "model.gguf": (*range(4), *range(5, 24)),  # between them, its version can become another
    "old.gguf": (*range(4), *range(5, 16)),
    "model.index": range(110),  # the block behind it is read by nobody
    "array.npy": range(10),
}
"""Where no bit can change without a reader's noticing; names and values can be any."""


@pytest.mark.parametrize("name", FLIPPED)
def test_a_flipped_bit_of_what_all_else_rests_on(name: str, tmp_path: Path) -> None:
    for place in FLIPPED[name]:
        for bit in range(8) if len(FLIPPED[name]) < 100 else (place % 8,):
            data = bytearray(VALID[name])
            data[place] ^= 1 << bit
            told = found(tmp_path, name, bytes(data))
            assert told.flaws, (place, bit)


def test_a_flipped_bit_anywhere_in_a_header_gets_an_answer(tmp_path: Path) -> None:
    for name, whole in VALID.items():
        for place in range(0, min(len(whole), 400), 7):
            data = bytearray(whole)
            data[place] ^= 1 << place % 8
            assert isinstance(found(tmp_path, name, bytes(data)), Contents)


def mutated(folder: Path, name: str, changes: list[tuple[float, int]]) -> None:
    data = bytearray(VALID[name])
    for place, value in changes:
        data[int(place * len(data))] = value
    told = found(folder, name, bytes(data))
    assert isinstance(told, Contents)
    assert told.reason or told.verdict is Verdict.ALLOWED


@QUICK
@given(st.sampled_from(sorted(VALID)), CHANGES)
def test_changed_bytes_get_an_answer(
    tmp_path: Path, name: str, changes: list[tuple[float, int]]
) -> None:
    mutated(tmp_path, name, changes)


@pytest.mark.deep
@LONG
@given(st.sampled_from(sorted(VALID)), CHANGES)
def test_changed_bytes_get_an_answer_many_times(
    tmp_path: Path, name: str, changes: list[tuple[float, int]]
) -> None:
    mutated(tmp_path, name, changes)


MARKS = (
    *(b"", b"GGUF\x03\0\0\0", b"\x93NUMPY\x01\0", b"PK\x03\x04", b"\x80\x02", b"{", b"\x1f\x8b"),
    b"\x10\0\0\0\0\0\0\0{",
)


def any_bytes(folder: Path, mark: bytes, data: bytes, end: bytes, name: str) -> None:
    told = found(folder, name, mark + data + end)
    assert isinstance(told, Contents)
    assert told.reason or told.verdict is Verdict.ALLOWED


ANY = (
    st.sampled_from(MARKS),
    st.binary(max_size=300),
    st.sampled_from((b"", formats.TABLE)),
    st.sampled_from(sorted(VALID)),
)


@QUICK
@given(*ANY)
def test_any_bytes_get_an_answer(
    tmp_path: Path, mark: bytes, data: bytes, end: bytes, name: str
) -> None:
    any_bytes(tmp_path, mark, data, end, name)


@pytest.mark.deep
@LONG
@given(*ANY)
def test_any_bytes_get_an_answer_many_times(
    tmp_path: Path, mark: bytes, data: bytes, end: bytes, name: str
) -> None:
    any_bytes(tmp_path, mark, data, end, name)
