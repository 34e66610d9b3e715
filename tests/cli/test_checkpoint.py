"""`pipedoctor checkpoint` as users run it."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import Any

import pytest
from cli.conftest import Run, contents
from probes.test_run_folder import whole
from resources import minilm


def written(path: Path, tensors: dict[str, list[float]], shapes: dict[str, list[int]]) -> Path:
    """Write a safetensors file by hand."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data = b""
    for name, numbers in tensors.items():
        packed = struct.pack(f"<{len(numbers)}f", *numbers)
        places = [len(data), len(data) + len(packed)]
        header[name] = {"dtype": "F32", "shape": shapes[name], "data_offsets": places}
        data += packed
    text = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def report(done: Any) -> Any:
    return json.loads(done.stdout)


def codes(done: Any) -> list[str]:
    found = report(done)["findings"]
    return [entry["code"] for entry in found]


def test_a_real_model(pipedoctor: Run) -> None:
    before = contents(minilm())
    done = pipedoctor("checkpoint", str(minilm()))
    assert (done.returncode, done.stderr) == (0, "")
    assert "model.safetensors   90.9 MB  safetensors  allowed" in done.stdout
    assert "22.7 M parameters in 104 tensors" in done.stdout
    assert "from transformers import BertModel" in done.stdout
    assert contents(minilm()) == before


def test_its_figures(pipedoctor: Run) -> None:
    done = pipedoctor("checkpoint", str(minilm()), "--output-format", "json")
    told = report(done)["checkpoint"]
    assert (told["kind"], told["tensors"], told["parameters"]) == ("model", 104, 22_713_216)
    assert "tensor_list" not in told
    assert report(done)["ready"] is True
    words = ("checkpoint", str(minilm()), "--tensors", "--output-format", "json")
    assert len(report(pipedoctor(*words))["checkpoint"]["tensor_list"]) == 104


def test_a_page_in_full(pipedoctor: Run, project: Path) -> None:
    written(project / "w.safetensors", {"a": [1, 2, 3, 4]}, {"a": [2, 2]})
    page = pipedoctor("checkpoint", "w.safetensors").stdout.replace("20 checks", "N checks")
    lines = [line for line in page.splitlines() if not line.startswith(("load", "not", " "))]
    assert lines[:8] == [
        f"w.safetensors · safetensors · {os.path.getsize(project / 'w.safetensors')} B",
        "",
        "verdict  allowed",
        "metadata format: pt",
        "",
        "weights  4 parameters in 1 tensor, F32",
        "largest  a  F32 (2, 2)  16 B",
        "scanned  elements of 1 tensor read (16 B): no NaN, no infinity",
    ]


@pytest.mark.parametrize("verb", ["checkpoint", "check"])
def test_what_is_cut_off(pipedoctor: Run, project: Path, verb: str) -> None:
    path = written(project / "w.safetensors", {"a": [1, 2, 3, 4]}, {"a": [4]})
    path.write_bytes(path.read_bytes()[:-5])
    done = pipedoctor(verb, "w.safetensors", "--output-format", "json")
    assert (done.returncode, codes(done)) == (1, ["CKP013"])


@pytest.mark.parametrize(
    "text",
    [
        b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 9\n",
        b"<!doctype html><html></html>",
        b"",
        bytes(5000),
    ],
)
@pytest.mark.parametrize("name", ["w.safetensors", "w.bin"])
def test_what_is_no_checkpoint(pipedoctor: Run, project: Path, name: str, text: bytes) -> None:
    (project / name).write_bytes(text)
    done = pipedoctor("checkpoint", name, "--output-format", "json")
    assert (done.returncode, codes(done)) == (1, ["CKP031"])


def test_a_pipe_keeps_nobody_waiting(pipedoctor: Run, project: Path) -> None:
    os.mkfifo(project / "w.bin")
    assert codes(pipedoctor("checkpoint", "w.bin", "--output-format", "json")) == ["CKP031"]


def test_nan_in_small_weights_is_found_unasked(pipedoctor: Run, project: Path) -> None:
    written(project / "w.safetensors", {"a": [1, float("nan"), float("inf")]}, {"a": [3]})
    done = pipedoctor("checkpoint", "w.safetensors", "--output-format", "json")
    (found,) = report(done)["findings"]
    assert found["code"] == "CKP016"
    assert (found["evidence"]["nan"], found["evidence"]["infinite"]) == (1, 1)


def test_a_missing_shard_and_a_name_that_leaves(pipedoctor: Run, project: Path) -> None:
    folder = project / "model"
    written(folder / "model-00001-of-00002.safetensors", {"a": [1]}, {"a": [1]})
    (folder / "config.json").write_text('{"model_type": "llama"}')
    for other, code in (("model-00002-of-00002.safetensors", "CKP034"), ("../x.bin", "CKP035")):
        places = {"a": "model-00001-of-00002.safetensors", "b": other}
        index = folder / "model.safetensors.index.json"
        index.write_text(json.dumps({"metadata": {}, "weight_map": places}))
        done = pipedoctor("checkpoint", "model", "--output-format", "json")
        assert codes(done) == [code]


@pytest.mark.parametrize("name", ["nothing.pt", "examples", "no such/model"])
def test_what_can_not_be_a_checkpoint(pipedoctor: Run, name: str) -> None:
    done = pipedoctor("checkpoint", name)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("pipedoctor: ")


def test_weights_are_converted(pipedoctor: Run, project: Path) -> None:
    torch = pytest.importorskip("torch")
    load_file = pytest.importorskip("safetensors.torch").load_file
    matrix = torch.randn(5, 7)
    state = {
        "a": matrix,
        "tied": matrix,
        "b": torch.randn(7, 5).t(),
        "c": torch.randn(2, 3, 4).permute(2, 0, 1),
        "d": torch.randn(3).to(torch.bfloat16),
        "e": torch.tensor([True, False]),
        "f": torch.zeros(0, 3),
    }
    for old in (False, True):
        torch.save(state, project / "w.pt", _use_new_zipfile_serialization=not old)
        words = ("checkpoint", "w.pt", "--convert", "w.safetensors", "--overwrite")
        done = pipedoctor(*words)
        assert done.returncode == 0, done.stderr  # which tells the progress on a slow machine
        assert "tied is tied: a stands for it" in done.stdout
        loaded = load_file(project / "w.safetensors")
        assert loaded.keys() == state.keys() - {"tied"}
        assert all(torch.equal(loaded[name], state[name]) for name in loaded)


def test_conversion_refuses(pipedoctor: Run, project: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.save({"a": torch.ones(3)}, project / "w.pt")
    torch.save({"a": torch.ones(3), "run": print}, project / "code.pt")
    (project / "there.safetensors").write_text("mine")
    before = contents(project)
    for source, out, text in (
        ("w.pt", "there.safetensors", "is there already"),
        ("w.pt", "w.bin", "w.bin ends otherwise"),
        ("w.pt", "no/w.safetensors", "does not exist"),
        ("code.pt", "w.safetensors", "the verdict on code.pt is unsafe"),
    ):
        done = pipedoctor("checkpoint", source, "--convert", out)
        assert (done.returncode, text in done.stderr) == (2, True), done.stderr
    assert contents(project) == before


def test_conversion_never_replaces_a_file_of_what_it_reads(pipedoctor: Run, project: Path) -> None:
    written(project / "model" / "model.safetensors", {"a": [1.0]}, {"a": [1]})
    (project / "model" / "config.json").write_text('{"model_type": "llama"}')
    before = contents(project)
    words = ("--convert", "model/model.safetensors", "--overwrite")
    done = pipedoctor("checkpoint", "model", *words)
    assert done.returncode == 2
    assert "is one of the files of what is to be converted" in done.stderr
    assert contents(project) == before


@pytest.mark.parametrize("verb", ["checkpoint", "check"])
def test_a_checkpoint_that_no_training_goes_on_from(
    pipedoctor: Run, project: Path, verb: str
) -> None:
    whole(project / "run", 4)
    newest = whole(project / "run", 6)
    words = ("--select", "CKP05", "--output-format", "json")
    assert codes(pipedoctor(verb, "run", *words)) == []
    (newest / "trainer_state.json").unlink()
    for target in ("run", "run/checkpoint-6"):
        done = pipedoctor(verb, target, *words)
        assert (done.returncode, codes(done)) == (1, ["CKP050"])
    assert codes(pipedoctor(verb, "run/checkpoint-4", *words)) == []


def test_a_call_that_fails_is_not_recommended(pipedoctor: Run, project: Path) -> None:
    path = whole(project, 4)
    assert "load with  trainer.train(" in pipedoctor("checkpoint", "checkpoint-4").stdout
    (path / "optimizer.pt").write_bytes(b"")
    page = pipedoctor("checkpoint", "checkpoint-4").stdout
    assert "not with   trainer.train(" in page
    assert "load with  trainer.train(" not in page


def test_an_optimizer_that_would_start_afresh(pipedoctor: Run, project: Path) -> None:
    path = whole(project, 4)
    (path / "optimizer.pt").unlink()
    words = ("checkpoint", "checkpoint-4", "--select", "CKP05", "--output-format", "json")
    assert codes(pipedoctor(*words)) == ["CKP051"]
    for name in ("scheduler.pt", "rng_state.pth"):  # as save_only_model leaves it
        (path / name).unlink()
    assert codes(pipedoctor(*words)) == []
