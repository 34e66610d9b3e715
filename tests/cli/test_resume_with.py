"""`pipedoctor checkpoint DIR --resume-with FILE`, and `check` of a config that resumes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from probes.test_run_folder import whole

from pipedoctor.__main__ import main


@pytest.fixture
def run(tmp_path: Path) -> Path:
    whole(tmp_path / "out", 4)
    newest = whole(tmp_path / "out", 6)
    (newest / "trainer_state.json").unlink()
    return tmp_path / "out"


def config(folder: Path, **stated: object) -> str:
    path = folder / "config.json"
    path.write_text(json.dumps({"max_steps": 8, **stated}))
    return str(path)


def test_the_run_of_a_config(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stated = config(run.parent, output_dir="elsewhere")
    assert main(["checkpoint", str(run), "--resume-with", stated]) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "CKP050" in told
    assert "checkpoint-6, which it can't go on from: the save was interrupted" in told
    assert f'set resume_from_checkpoint to "{run}/checkpoint-4"' in told


def test_one_checkpoint(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(run / "checkpoint-4")
    assert (
        main(["checkpoint", path, "--resume-with", config(run.parent), "--select", "CKP05"]) == 0
    )
    assert "CKP050" not in capsys.readouterr().out


def test_the_text_of_a_script(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = run.parent / "train.py"
    script.write_text(
        "from transformers import Trainer, TrainingArguments\n"
        f"args = TrainingArguments(output_dir={str(run)!r}, max_steps=2)\n"
        "Trainer(model=model, args=args, train_dataset=data).train()\n"
    )
    checkpoint = str(run / "checkpoint-4")
    assert main(["checkpoint", checkpoint, "--resume-with", str(script)]) == 1
    assert "CKP020" in capsys.readouterr().out


def test_a_file_is_no_checkpoint_to_resume_from(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(run / "checkpoint-4" / "model.safetensors")
    assert main(["checkpoint", path, "--resume-with", config(run.parent)]) == 2
    assert "name the folder checkpoint-N" in capsys.readouterr().err


def test_a_config_that_resumes(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stated = config(run.parent, output_dir=str(run), resume_from_checkpoint=True)
    assert main(["check", stated, "--depth", "files"]) == 1
    assert "CKP050" in capsys.readouterr().out


def test_a_folder_of_another_run_is_a_note(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stated = config(run.parent, output_dir=str(run))
    assert main(["check", stated, "--depth", "files", "--select", "CKP"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "CKP059" in told
    assert "holds checkpoint-6 of an earlier run" in told
