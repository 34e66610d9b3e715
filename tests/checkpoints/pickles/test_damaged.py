"""Whatever the bytes: an answer, and no damage passes unseen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from checkpoints.archives import tarred
from checkpoints.malicious import BENIGN
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipedoctor.checkpoints import pickles
from pipedoctor.checkpoints.contents import Contents, FlawKind, Verdict
from pipedoctor.checkpoints.pickles import (
    compressed,
    legacy_tar,
    numpy_file,
    pickle_file,
    torch_zip,
)

READERS: dict[str, Callable[[str], Contents]] = {
    "nested.zip.pt": torch_zip.read,
    "optimizer.zip.pt": torch_zip.read,
    "nested.legacy.pt": pickle_file.read,
    "optimizer.legacy.pt": pickle_file.read,
    "state_dict.p4.pt": torch_zip.read,
    "plain.p0.pkl": pickle_file.read,
    "plain.p2.pkl": pickle_file.read,
    "plain.p4.pkl": pickle_file.read,
    "plain.pkl.gz": compressed.read,
    "numbers.npy": numpy_file.read,
    "objects.npy": numpy_file.read,
    "stored.npz": numpy_file.read,
    "packed.npz": numpy_file.read,
    "objects.npz": numpy_file.read,
    "raw.joblib": pickle_file.read,
    "zlib.joblib": compressed.read,
    "bz.joblib": compressed.read,
    "x.joblib": compressed.read,
    ".metadata": pickle_file.read,
    "rng_state.pth": torch_zip.read,
    "training_args.bin": torch_zip.read,
    "legacy.tar": legacy_tar.read,
}


@pytest.fixture(scope="session")
def files(
    torch_files: list[Path],
    pickle_files: list[Path],
    array_files: list[Path],
    trainer_folder: Path,
    distributed_folder: Path,
) -> dict[str, bytes]:
    paths = [*torch_files, *pickle_files, *array_files, *trainer_folder.iterdir()]
    paths.append(distributed_folder / ".metadata")
    found = {path.name: path.read_bytes() for path in paths if path.name in READERS}
    numbers = b"\x80\x02K\x00."
    found["legacy.tar"] = tarred(
        (b"storages", numbers + b"\x80\x02]."), (b"tensors", numbers), (b"pickle", BENIGN)
    )
    assert set(found) == set(READERS)
    return found


@pytest.mark.parametrize("name", READERS)
def test_a_cut_file_is_told(name: str, files: dict[str, bytes], tmp_path: Path) -> None:
    whole = files[name]
    path = tmp_path / name
    path.write_bytes(whole)
    assert READERS[name](str(path)).flaws == ()
    for part in range(64):
        path.write_bytes(whole[: len(whole) * part // 64])
        found = READERS[name](str(path))
        kinds = {flaw.kind for flaw in found.flaws}
        assert found.verdict is Verdict.MALFORMED or FlawKind.TRUNCATED in kinds, part
        assert found.verdict is not Verdict.ALLOWED


@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.sampled_from(sorted(READERS)),
    st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=6
    ),
)
def test_changed_bytes_get_an_answer(
    files: dict[str, bytes], tmp_path: Path, name: str, changes: list[tuple[float, int]]
) -> None:
    data = bytearray(files[name])
    for place, value in changes:
        data[int(place * len(data))] = value
    path = tmp_path / "changed"
    path.write_bytes(data)
    assert isinstance(READERS[name](str(path)), Contents)
    assert isinstance(pickles.read(str(path)), Contents | None)
    if name.endswith((".pt", ".npz", ".pth")):
        assert isinstance(torch_zip.verify(str(path)), tuple)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=200), st.sampled_from(sorted(READERS)))
def test_any_bytes_get_an_answer(tmp_path: Path, data: bytes, name: str) -> None:
    path = tmp_path / "any"
    path.write_bytes(data)
    assert isinstance(READERS[name](str(path)), Contents)
