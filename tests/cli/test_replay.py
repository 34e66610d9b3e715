"""`pipedoctor replay`: the step that was stopped, in a new process, and its cure."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from recorder import poisoned

from pipedoctor import FlightRecorder, Poisoned

transformers = poisoned.transformers
torch = poisoned.torch

TESTS = Path(__file__).parent.parent


def replay(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder from which the module of the model can be imported."""
    path = os.pathsep.join([str(TESTS / "recorder"), str(TESTS), os.getenv("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-m", "pipedoctor", "replay", *words],
        cwd=cwd,
        env={**os.environ, "NO_COLOR": "1", "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    recorder = FlightRecorder()
    with pytest.raises(Poisoned):
        poisoned.trainer(folder, recorder, gradient_accumulation_steps=2).train()
    return Path(str(recorder.capsule))


def test_the_origin_is_named_down_to_the_row_of_the_data(kept: Path, tmp_path: Path) -> None:
    done = replay(str(kept), "poisoned:build", "--output-format", "json", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    told = report["replay"]
    assert told["rows"] == [poisoned.BAD_ROW]
    assert told["origin"]["operation"] == "aten.log"
    assert told["origin"]["where"]["file"].endswith("poisoned.py")
    assert "each loss is bit for bit the recorded one" in told["notes"]
    (finding,) = report["findings"]
    assert finding["code"] == "NUM020"


def test_the_cure_is_proved(kept: Path, tmp_path: Path) -> None:
    done = replay(str(kept), "--with-fix", "poisoned:mended", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("Cured: step ")


def test_what_is_no_cure_is_told(kept: Path, tmp_path: Path) -> None:
    done = replay(str(kept), "--with-fix", "poisoned:build", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith("Not cured: step ")


def test_a_model_of_transformers_needs_no_target(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=40,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        num_labels=2,
        problem_type="regression",
    )
    rows = [{"input_ids": [2, 5, 3], "labels": [0.0, 1.0]} for _ in range(16)]
    rows[9]["labels"] = [0.0, float("nan")]
    recorder = FlightRecorder()
    trainer = transformers.Trainer(
        transformers.BertForSequenceClassification(config),
        transformers.TrainingArguments(
            output_dir=str(tmp_path / "out"),
            use_cpu=True,
            report_to="none",
            disable_tqdm=True,
            max_steps=4,
            per_device_train_batch_size=4,
        ),
        train_dataset=rows,
        callbacks=[recorder],
    )
    with pytest.raises(Poisoned):
        trainer.train()
    done = replay(str(recorder.capsule), "--output-format", "json", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)["replay"]
    assert told["origin"]["when"] == "data"
    assert told["rows"] == [9]


def test_a_class_of_ones_own_must_be_named(kept: Path, tmp_path: Path) -> None:
    done = replay(str(kept), cwd=tmp_path)
    assert done.returncode == 2
    assert "a class of your own: name what builds it" in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nothing"], "is no capsule"),
        (["CAPSULE", "poisoned:build", "--with-fix", "poisoned:mended"], "not both"),
        (["CAPSULE", "--with-fix", "poisoned.py"], "no module:callable"),
    ],
)
def test_wrong_words(kept: Path, tmp_path: Path, words: list[str], told: str) -> None:
    done = replay(*(str(kept) if word == "CAPSULE" else word for word in words), cwd=tmp_path)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_what_was_tampered_with_is_not_replayed(kept: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(kept, tmp_path / "capsule"))
    with (copied / "tensors.safetensors").open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\x01")
    done = replay(str(copied), "poisoned:build", cwd=tmp_path)
    assert done.returncode == 1
    assert "is not the file that capsule.json was written with" in " ".join(done.stdout.split())


def test_a_function_that_is_not_there_is_said_to_be_missing(kept: Path, tmp_path: Path) -> None:
    done = replay(str(kept), "--with-fix", "poisoned:mendd", cwd=tmp_path)
    assert "poisoned.py has no function mendd" in done.stdout
    assert "name one that is there: mended" in done.stdout
    assert "training would raise" not in done.stdout


def test_the_script_of_a_loop_is_refused_before_it_runs(kept: Path, tmp_path: Path) -> None:
    capsule = tmp_path / "capsule"
    shutil.copytree(kept, capsule)
    told = capsule / "capsule.json"
    told.write_text(json.dumps(json.loads(told.read_text()) | {"loop": True}))
    script = tmp_path / "own.py"
    script.write_text("open('ran', 'w')")
    done = replay(str(capsule), str(script), cwd=tmp_path)
    assert done.returncode == 2
    assert "CAPSULE own:build" in " ".join(done.stderr.split())
    assert not (tmp_path / "ran").exists()
