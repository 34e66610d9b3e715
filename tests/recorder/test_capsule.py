"""Capsules: written as a whole, read with mistrust."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from recorder import poisoned

from pipedoctor import FlightRecorder, Poisoned
from pipedoctor.recorder import capsule, capsule_writing, rerun
from pipedoctor.recorder.capsule import CapsuleError

torch = poisoned.torch


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    recorder = FlightRecorder()
    with pytest.raises(Poisoned):
        poisoned.trainer(folder, recorder).train()
    return Path(str(recorder.capsule))


@pytest.fixture
def copied(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "capsule"))


def test_it_holds_no_pickle_and_says_what_it_holds(written: Path) -> None:
    assert sorted(path.name for path in written.iterdir()) == [
        "capsule.json",
        "tensors.safetensors",
    ]
    described = json.loads((written / "capsule.json").read_text())
    assert "rows" in described["holds"]
    assert "weights" in described["holds"]


def test_a_second_one_has_a_name_of_its_own(written: Path) -> None:
    recorder = FlightRecorder()
    with pytest.raises(Poisoned):
        poisoned.trainer(written.parent, recorder).train()
    assert recorder.capsule == f"{written}-2"
    shutil.rmtree(str(recorder.capsule))


def test_nothing_is_there_by_halves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(capsule_writing, "digest_of", full)
    with pytest.raises(Poisoned, match=r"no capsule could be written: .*No space left"):
        poisoned.trainer(tmp_path, FlightRecorder()).train()
    assert not list(tmp_path.glob("pipedoctor-capsule*"))


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("capsule.json", b"", "can't be read"),
        ("capsule.json", b"[1]", "no description"),
        ("capsule.json", b'{"format": 2}', "format 1"),
        ("capsule.json", b"[" * 100_000, "can't be read"),
        ("capsule.json", b"\xff\xfe", "can't be read"),
        ("tensors.safetensors", b"", "is not the file"),
    ],
)
def test_what_was_tampered_with_is_refused(
    copied: Path, name: str, content: bytes, reason: str
) -> None:
    (copied / name).write_bytes(content)
    with pytest.raises(CapsuleError, match=reason):
        capsule.read(str(copied))


@pytest.mark.parametrize("key", ["passes", "model", "evaluating", "versions"])
def test_a_description_that_lacks_something_is_refused(copied: Path, key: str) -> None:
    path = copied / "capsule.json"
    described = json.loads(path.read_text())
    del described[key]
    path.write_text(json.dumps(described))
    with pytest.raises(CapsuleError, match="contradicts itself"):
        capsule.read(str(copied))


@pytest.mark.parametrize(
    "change",
    [
        {"step": float("inf")},
        {"passes": [{"words": [[]], "keywords": {}, "loss": None, "rows": None}]},
        {"passes": 3},
        {"evaluating": None},
    ],
)
def test_a_description_that_makes_no_sense_is_refused(
    copied: Path, change: dict[str, object]
) -> None:
    path = copied / "capsule.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(CapsuleError, match="contradicts itself"):
        capsule.read(str(copied))


def test_nobody_else_may_read_it(written: Path) -> None:
    assert written.stat().st_mode & 0o077 == 0


def test_a_missing_file_is_named(copied: Path) -> None:
    (copied / "tensors.safetensors").unlink()
    with pytest.raises(CapsuleError, match=r"no tensors\.safetensors"):
        capsule.read(str(copied))
    with pytest.raises(CapsuleError, match="is no capsule"):
        capsule.read(str(copied / "nothing"))


def test_another_model_is_refused(written: Path) -> None:
    kept = capsule.read(str(written))
    with pytest.raises(CapsuleError, match=r"only the (model|capsule) has"):
        rerun.prepare(kept, torch.nn.Linear(2, 2))
    other = poisoned.build()
    other.head = torch.nn.Linear(6, 3)
    with pytest.raises(CapsuleError, match=r"head\.(weight|bias) is"):
        rerun.prepare(kept, other)
