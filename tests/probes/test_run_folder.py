"""Which checkpoint of a run Trainer takes, which is broken, and why."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pipelines import pipeline

from pipedoctor.fact import Unavailable
from pipedoctor.facts import RunFolder
from pipedoctor.probes import run_folder

TENSORS = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
WEIGHTS = len(TENSORS).to_bytes(8, "little") + TENSORS + b"\0\0\0\0"


def state(path: Path) -> None:
    """An archive as torch writes it, of an empty mapping."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("state/data.pkl", b"\x80\x02}.")
        archive.writestr("state/version", "3\n")


def whole(folder: Path, step: int, **told: Any) -> Path:
    """A checkpoint of a run, complete."""
    path = folder / f"checkpoint-{step}"
    path.mkdir(parents=True)
    (path / "model.safetensors").write_bytes(WEIGHTS)
    for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth"):
        state(path / name)
    (path / "config.json").write_text("{}")
    (path / "trainer_state.json").write_text(json.dumps({"global_step": step, **told}))
    return path


def read(folder: Path) -> RunFolder:
    return pipeline(settings={"output_dir": str(folder)}).fact(RunFolder)


def test_a_whole_run(tmp_path: Path) -> None:
    whole(tmp_path, 9)
    whole(tmp_path, 10, best_model_checkpoint="/elsewhere/checkpoint-9")
    run = read(tmp_path)
    assert [(one.name, one.broken, one.best) for one in run.saved] == [
        ("checkpoint-9", "", True),
        ("checkpoint-10", "", False),
    ]
    assert run.taken == "checkpoint-10"
    assert run.whole is run.saved[-1]


def test_what_an_interrupted_save_leaves(tmp_path: Path) -> None:
    whole(tmp_path, 9)
    newest = whole(tmp_path, 10)
    (newest / "trainer_state.json").unlink()
    (newest / "rng_state.pth").unlink()
    (newest / "optimizer.pt").write_bytes(b"")
    run = read(tmp_path)
    assert run.taken == "checkpoint-10"
    assert run.saved[-1].broken == (
        "the save was interrupted: no trainer_state.json, and optimizer.pt has 0 bytes"
    )
    assert run.whole is not None
    assert run.whole.name == "checkpoint-9"


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("model.safetensors", b"", "model.safetensors has 0 bytes"),
        ("model.safetensors", WEIGHTS[:-1], "model.safetensors is damaged"),
        ("optimizer.pt", b"<html>not found</html>", "optimizer.pt is damaged"),
        ("scheduler.pt", b"PK\x03\x04 cut off", "scheduler.pt"),
        ("trainer_state.json", b"", "trainer_state.json has 0 bytes"),
        ("trainer_state.json", b'{"global_step": 1', "trainer_state.json is no JSON"),
        ("trainer_state.json", b"{}", "trainer_state.json has no global_step"),
        ("config.json", b'{"a": ', "config.json is no JSON"),
    ],
)
def test_a_file_that_is_damaged(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    (whole(tmp_path, 4) / name).write_bytes(data)
    run = read(tmp_path)
    assert said in run.saved[0].broken
    assert run.whole is None


@pytest.mark.parametrize("name", ["optimizer.pt", "scheduler.pt"])
def test_of_two_states_trainer_reads_both_or_none(tmp_path: Path, name: str) -> None:
    path = whole(tmp_path, 4)
    (path / name).write_bytes(b"")
    assert read(tmp_path).saved[0].broken == f"{name} has 0 bytes"
    other = {"optimizer.pt": "scheduler.pt", "scheduler.pt": "optimizer.pt"}[name]
    (path / other).unlink()
    assert read(tmp_path).saved[0].broken == ""


def test_what_is_left_under_other_names(tmp_path: Path) -> None:
    whole(tmp_path, 4)
    (tmp_path / "tmp-checkpoint-6").mkdir()
    (tmp_path / "checkpoint-8").write_text("a file")
    (tmp_path / "checkpoint-9").symlink_to("nowhere")
    (tmp_path / "checkpoint-5").symlink_to("checkpoint-4")
    (tmp_path / "checkpoint-last").mkdir()
    run = read(tmp_path)
    assert [one.name for one in run.saved] == ["checkpoint-4", "checkpoint-5"]
    assert run.leftovers == ("checkpoint-8", "checkpoint-9", "tmp-checkpoint-6")


def test_a_folder_without_checkpoints(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="holds no checkpoint"):
        read(tmp_path)
    with pytest.raises(Unavailable, match="can't be read"):
        read(tmp_path / "nowhere")


def test_deepspeed_keeps_its_weights_elsewhere(tmp_path: Path) -> None:
    path = whole(tmp_path, 4)
    for name in ("model.safetensors", "optimizer.pt"):
        (path / name).unlink()
    (path / "global_step4").mkdir()
    state(path / "global_step4" / "mp_rank_00_model_states.pt")
    assert read(tmp_path).saved[0].broken == ""


NAMES = st.lists(
    st.one_of(
        st.integers(0, 12).map("checkpoint-{}".format),
        st.sampled_from(
            ["checkpoint-", "checkpoint-007", "checkpoint--1", "checkpoint-3x", "tmp-checkpoint-9"]
        ),
    ),
    unique=True,
    max_size=6,
)


@settings(max_examples=40, deadline=None)
@given(folders=NAMES, others=NAMES)
def test_the_one_that_transformers_takes(
    tmp_path_factory: pytest.TempPathFactory, folders: list[str], others: list[str]
) -> None:
    theirs = pytest.importorskip("transformers.trainer_utils").get_last_checkpoint
    run = tmp_path_factory.mktemp("run")
    for name in folders:
        (run / name).mkdir()
    for name in set(others) - set(folders):
        (run / name).write_text("a file")
    taken = theirs(str(run))
    try:
        found = run_folder.read_run(str(run)).taken
    except Unavailable:
        found = None
    steps = {run_folder.step_of(name) for name in (found, Path(taken or "").name) if name}
    assert (found is None) == (taken is None)
    assert len(steps) <= 1
