"""What is advised for a file that is whole but for its name, its tail, or what it is packed in."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest
from checkpoints import fixtures
from checkpoints.examined import findings

from pipedoctor.checkpoints import converting, formats, lora
from pipedoctor.facts.model_files import Tensor
from pipedoctor.probes.checkpoint import read_checkpoint


def test_what_follows_whole_tensors_is_to_be_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    whole = fixtures.safetensors()
    path.write_bytes(whole + b"garbage!")
    found = findings(path)["CKP013"]
    assert f"truncate -s {len(whole)} {path}" in found.remedy
    os.truncate(path, len(whole))
    assert not formats.read(str(path)).flaws


def test_an_archive_of_keras_is_no_hdf5(tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", '{"class_name": "Sequential", "config": {"layers": []}}')
        archive.writestr("metadata.json", '{"keras_version": "3.15.1"}')
        archive.writestr("model.weights.h5", b"")
    found = findings(path)
    assert "CKP042" in found, found
    assert found["CKP042"].remedy == f"mv {path} {tmp_path}/model.keras"


def test_a_pipe_is_not_to_be_downloaded(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    os.mkfifo(path)
    assert "download" not in findings(path)["CKP031"].remedy


def test_a_compressed_archive_is_said_to_be_one(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    plain, packed = tmp_path / "plain.pt", tmp_path / "packed.pt"
    torch.save(torch.nn.Linear(4, 4).state_dict(), plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    with pytest.raises(converting.Refused, match="is compressed, as torch"):
        converting.convert(read_checkpoint(str(packed)), str(tmp_path / "out.safetensors"))
    assert torch.load(packed).keys() == {"weight", "bias"}


@pytest.mark.parametrize(
    ("stored", "told"), [((4, 4), "have rank 4:"), ((4, 16), "have ranks 4 and 16:")]
)
def test_the_ranks_are_all_named(stored: tuple[int, ...], told: str) -> None:
    pairs = {
        f"q{n}": (Tensor((rank, 8), "F32"), Tensor((8, rank), "F32"))
        for n, rank in enumerate(stored)
    }
    (clash,) = lora._ranks({"r": 8}, pairs)
    assert told in clash.message


def test_an_archive_around_an_archive_is_to_be_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("sd.pt", fixtures.torch_zip())
    found = findings(path)["CKP031"]
    assert "it is a ZIP archive with an archive in it, sd.pt" in found.message
    assert found.remedy.startswith(f"unzip {path}")


def test_what_stands_for_too_many_objects_is_not_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pkl"
    path.write_bytes(b"\x80\x04" + b"]q\x00" + b"(h\x00h\x00h\x00lq\x00" * 40 + b".")
    assert "can't be read to its end" in findings(path)["CKP013"].message


def test_weights_under_a_name_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert", "architectures": ["BertModel"]}')
    (tmp_path / "model_final.safetensors").write_bytes(fixtures.safetensors())
    assert findings(tmp_path)["CKP039"].remedy == (
        f"mv {tmp_path}/model_final.safetensors {tmp_path}/model.safetensors"
    )
    (tmp_path / "model_final.safetensors").rename(tmp_path / "model.fp16.safetensors")
    assert "CKP039" not in findings(tmp_path)  # a variant, which can be asked for


@pytest.mark.parametrize("sign", ["generation_config.json", ""])
def test_weights_without_a_config(tmp_path: Path, sign: str) -> None:
    (tmp_path / "model.safetensors").write_bytes(fixtures.safetensors())
    if sign:
        (tmp_path / sign).write_text("{}")
    assert ("CKP039" in findings(tmp_path)) is bool(sign)
