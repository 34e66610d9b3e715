"""The files of a distributed checkpoint: archives one after the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from checkpoints import ordinary

from pipedoctor.checkpoints import formats
from pipedoctor.checkpoints.contents import FlawKind, Verdict
from pipedoctor.probes.checkpoint import read_checkpoint

NAME = "__0_0.distcp"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ordinary.distributed_files(tmp_path_factory.mktemp("parts"))


@pytest.fixture
def changed(folder: Path, tmp_path: Path) -> Callable[[bytes], Path]:
    def change(data: bytes) -> Path:
        (tmp_path / ".metadata").write_bytes((folder / ".metadata").read_bytes())
        (tmp_path / NAME).write_bytes(data)
        return tmp_path / NAME

    return change


def test_every_archive_is_read_where_the_list_says(folder: Path) -> None:
    import torch

    found = formats.read(str(folder / NAME))
    assert (found.verdict, found.flaws) == (Verdict.ALLOWED, ())
    assert {name: tensor.shape for name, tensor in found.tensors.items()} == {
        "model.weight": (3, 4),
        "model.bias": (3,),
    }
    assert found.metadata["archives"] == 3  # the step is one more
    state = {"model": torch.nn.Linear(4, 3).state_dict(), "step": 0}
    from torch.distributed import checkpoint

    checkpoint.load(state, checkpoint_id=folder, no_dist=True)
    bias = found.tensors["model.bias"]
    assert bias.offset is not None
    data = (folder / NAME).read_bytes()[bias.offset : bias.offset + 12]
    assert data == state["model"]["bias"].numpy().tobytes()


def test_a_tensor_is_counted_once_and_shared_with_none(folder: Path) -> None:
    figures = read_checkpoint(str(folder)).figures()
    assert (figures["tensors"], figures["parameters"], figures["shared"]) == (2, 15, [])


def test_a_cut_file_is_told_by_what_it_lacks(
    folder: Path, changed: Callable[[bytes], Path]
) -> None:
    data = (folder / NAME).read_bytes()
    found = formats.read(str(changed(data[:-30])))
    assert found.verdict is Verdict.MALFORMED
    assert found.flaws[0].kind is FlawKind.TRUNCATED
    assert f"ends at byte {len(data):,} of it, and it has {len(data) - 30:,}" in found.reason


def test_a_changed_archive_is_told_by_its_tensor(
    folder: Path, changed: Callable[[bytes], Path]
) -> None:
    data = bytearray((folder / NAME).read_bytes())
    first = data.index(b"PK\x01\x02")  # the directory of the first archive
    data[first : first + 4] = b"XXXX"
    found = formats.read(str(changed(bytes(data))))
    assert found.verdict is Verdict.MALFORMED
    assert any(name in found.reason for name in ("model.weight", "model.bias", "step"))


def test_without_its_list_nobody_knows_where_one_ends(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes((folder / NAME).read_bytes())
    found = formats.read(str(path))
    assert [flaw.kind for flaw in found.flaws] == [FlawKind.MISSING_FILE]
    assert "several archives one after the other" in found.reason
