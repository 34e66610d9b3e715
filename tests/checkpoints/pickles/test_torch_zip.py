"""The structure of archives: each difference between its two tellings is a flaw with figures."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from checkpoints.archives import Entry, zipped
from checkpoints.malicious import BENIGN, torch_zip
from checkpoints.opcodes import MARK, glob, plain, text, whole

from pipedoctor.checkpoints.contents import Contents, FlawKind, Verdict
from pipedoctor.checkpoints.pickles import torch_zip as reader

FLOATS = struct.pack("<6f", *range(6))


def tensor(
    numel: int = 6, shape: tuple[int, ...] = (2, 3), key: str = "0", skip: int = 0
) -> bytes:
    """A state dict of one float tensor "w", as torch.save writes it."""
    strides = (3, 1) if len(shape) == 2 else (1,)
    storage = (
        MARK
        + text("storage")
        + glob("torch", "FloatStorage")
        + text(key)
        + text("cpu")
        + plain(numel)
        + b"tQ"
    )
    rebuilt = (
        glob("torch._utils", "_rebuild_tensor_v2")
        + MARK
        + storage
        + plain(skip)
        + plain(shape)
        + plain(strides)
        + b"\x89"
        + glob("collections", "OrderedDict")
        + b")RtR"
    )
    return whole(b"}" + text("w") + rebuilt + b"s")


def archive(pickled: bytes, *more: Entry) -> tuple[Entry, ...]:
    return torch_zip(pickled, Entry("archive/data/0", FLOATS), *more)


@pytest.fixture
def read(tmp_path: Path) -> Callable[[bytes], Contents]:
    def reading(data: bytes) -> Contents:
        path = tmp_path / "model.bin"
        path.write_bytes(data)
        return reader.read(str(path))

    return reading


def kinds(found: Contents) -> set[FlawKind]:
    return {flaw.kind for flaw in found.flaws}


def test_a_whole_archive(read: Callable[[bytes], Contents]) -> None:
    data = zipped(*archive(tensor()))
    found = read(data)
    assert (found.verdict, found.flaws) == (Verdict.ALLOWED, ())
    offset = found.tensors["w"].offset
    assert offset is not None
    assert data[offset : offset + 24] == FLOATS
    assert found.metadata == {
        "members": 4,
        "version": "3",
        "byteorder": "little",
        "protocol": 2,
    }


def test_elements_that_begin_like_a_pickle_raise_no_alarm(
    read: Callable[[bytes], Contents],
) -> None:
    elements = b"\x80\x02cos\nmkdir\n)R..".ljust(24, b".")
    found = read(zipped(*torch_zip(tensor(), Entry("archive/data/0", elements))))
    assert found.verdict is Verdict.ALLOWED


def test_packed_elements_have_no_place(read: Callable[[bytes], Contents]) -> None:
    found = read(zipped(*torch_zip(tensor(), Entry("archive/data/0", FLOATS, method=8))))
    assert found.verdict is Verdict.ALLOWED
    assert (found.tensors["w"].offset, found.tensors["w"].bytes) == (None, 24)


@pytest.mark.parametrize(
    ("pickled", "message"),
    [
        (tensor(numel=7), "storage 0 has 24 bytes, declared as 7 elements of 4"),
        (tensor(shape=(3, 3)), "w takes the bytes up to 36 of a storage that has 24"),
        (tensor(skip=1), "w takes the bytes up to 28 of a storage that has 24"),
        (tensor(key="5"), "storage 5 of its tensors isn't in the archive"),
    ],
)
def test_tensors_that_their_storage_does_not_hold(
    read: Callable[[bytes], Contents], pickled: bytes, message: str
) -> None:
    found = read(zipped(*archive(pickled)))
    assert found.verdict is Verdict.MALFORMED
    assert [(flaw.kind, flaw.message) for flaw in found.flaws] == [(FlawKind.BAD_RANGES, message)]


def test_names_are_told_without_control_characters(
    read: Callable[[bytes], Contents],
) -> None:
    found = read(zipped(*archive(tensor(skip=1).replace(text("w"), text("\x1b[31mw\n")))))
    (flaw,) = found.flaws
    assert flaw.message.startswith("\\x1b[31mw\\n takes the bytes")


@pytest.mark.parametrize(
    ("change", "kind", "verdict"),
    [
        ({"checksum": 1}, FlawKind.CHECKSUM, Verdict.ALLOWED),
        ({"flags": 1}, FlawKind.BAD_HEADER, Verdict.MALFORMED),
        ({"local_flags": 1}, FlawKind.BAD_HEADER, Verdict.MALFORMED),
        ({"local_name": "archive/other"}, FlawKind.DUPLICATE, Verdict.MALFORMED),
        ({"size": 5}, FlawKind.BAD_HEADER, Verdict.MALFORMED),
        ({"name": "/archive/data.pkl"}, FlawKind.OUTSIDE, Verdict.MALFORMED),
        ({"listed": False}, FlawKind.DUPLICATE, Verdict.MALFORMED),
        ({"headed": False}, FlawKind.DUPLICATE, Verdict.MALFORMED),
    ],
)
def test_a_member_that_is_told_in_two_ways(
    read: Callable[[bytes], Contents],
    change: dict[str, object],
    kind: FlawKind,
    verdict: Verdict,
) -> None:
    first, *rest = archive(tensor())
    found = read(zipped(replace(first, **change), *rest))
    assert kind in kinds(found)
    assert found.verdict is verdict


def test_bytes_around_an_archive(read: Callable[[bytes], Contents]) -> None:
    after = read(zipped(*archive(tensor()), suffix=b"x" * 7))
    assert [flaw.message for flaw in after.flaws] == ["7 bytes follow the archive"]
    assert after.verdict is Verdict.ALLOWED
    before = read(zipped(*archive(tensor()), prefix=b"x" * 7))
    assert [flaw.message for flaw in before.flaws] == ["7 bytes stand before the archive"]
    assert before.verdict is Verdict.MALFORMED
    offset = before.tensors["w"].offset
    assert offset is not None
    assert zipped(*archive(tensor()), prefix=b"x" * 7)[offset : offset + 24] == FLOATS


def test_names_that_stand_twice(read: Callable[[bytes], Contents]) -> None:
    found = read(zipped(*archive(tensor(), Entry("archive/DATA.pkl", BENIGN))))
    assert kinds(found) == {FlawKind.DUPLICATE}
    assert found.verdict is Verdict.MALFORMED


def test_other_archives_are_not_read(read: Callable[[bytes], Contents]) -> None:
    found = read(zipped(Entry("readme.txt", b"Nothing to see."), Entry("a/b.json", b"{}")))
    assert (found.format, found.verdict) == ("zip archive", Verdict.UNSUPPORTED)


def test_an_export_carries_a_program(read: Callable[[bytes], Contents]) -> None:
    entries = [Entry("m/archive_format", b"pt2"), Entry("m/models/model.json", b"{}" * 50)]
    entries.append(Entry("m/data/sample_inputs/model.pt", zipped(*archive(tensor()))))
    found = read(zipped(*entries))
    assert (found.format, found.verdict) == ("PyTorch export archive", Verdict.NEEDS_TRUST)
    assert "100 bytes of a graph in 1 file," in found.reason
    assert kinds(found) == {FlawKind.CODE}


def test_numbers_of_eight_bytes(read: Callable[[bytes], Contents]) -> None:
    """The larger form of the end of an archive, which PyTorch always writes."""
    data = zipped(*archive(tensor()))
    end = data.index(b"PK\x05\x06")
    count, size, offset = struct.unpack_from("<HII", data, end + 10)
    larger = struct.pack(
        "<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, offset
    )
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    assert read(data[:end] + larger + locator + data[end:]).flaws == ()
    other = larger[:32] + struct.pack("<Q", count + 1) + larger[40:]
    assert FlawKind.BAD_HEADER in kinds(read(data[:end] + other + locator + data[end:]))


def test_checksums_are_compared_on_demand(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    entries = archive(tensor(), Entry("archive/more", b"text" * 100, method=8))
    path.write_bytes(zipped(*entries))
    assert reader.verify(str(path)) == ()
    changed = replace(entries[3], data=FLOATS[:-1] + b"\xff", checksum=0x1234)
    path.write_bytes(zipped(*entries[:3], changed, *entries[4:]))
    (flaw,) = reader.verify(str(path))
    assert flaw.kind is FlawKind.CHECKSUM
    assert "archive/data/0" in flaw.message
    assert "00001234" in flaw.message


def test_a_legacy_file_is_read_to_its_last_byte(tmp_path: Path) -> None:
    from pipedoctor.checkpoints.pickles import pickle_file

    head = b"".join(pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {}))
    body = head + tensor() + pickle.dumps(["0"], 2)
    path = tmp_path / "legacy.bin"
    whole_file = body + struct.pack("<q", 6) + FLOATS
    path.write_bytes(whole_file)
    found = pickle_file.read(str(path))
    assert (found.verdict, found.flaws) == (Verdict.ALLOWED, ())
    assert found.tensors["w"].offset == len(whole_file) - 24
    for data, kind in (
        (whole_file[:-1], FlawKind.TRUNCATED),
        (whole_file + b"more", FlawKind.TRAILING),
        (body + struct.pack("<q", 5) + FLOATS[:20], FlawKind.BAD_RANGES),
        (body + struct.pack("<q", 2**60) + FLOATS, FlawKind.TRUNCATED),
        (body + struct.pack("<q", -1) + FLOATS, FlawKind.TRUNCATED),
    ):
        path.write_bytes(data)
        found = pickle_file.read(str(path))
        assert kinds(found) == {kind}
        assert (found.verdict is Verdict.ALLOWED) == (kind is FlawKind.TRAILING)
