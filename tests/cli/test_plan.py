"""`pipedoctor plan` as users run it, and the rows that they state."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli.conftest import Run, contents
from cli.test_terminal import ESCAPES, in_terminal

EXAMPLE = "examples/qnli/healthy.json"


def figures(stdout: str) -> Any:
    return json.loads(stdout)["plan"]


def test_the_healthy_example(pipedoctor: Run, project: Path) -> None:
    before = contents(project)
    done = pipedoctor("plan", EXAMPLE)
    assert contents(project) == before
    assert (done.returncode, done.stderr) == (0, "")
    assert "114 optimizer steps · 3 epochs of 38 steps · 8 rows a step" in done.stdout
    assert re.search(r"^ +3 checkpoints ─+○─+○─+●$", done.stdout, re.MULTILINE)
    assert re.search(r"^first checkpoint +38 +1\.00 +33\.3%$", done.stdout, re.MULTILINE)


def test_json_has_the_envelope(pipedoctor: Run) -> None:
    done = pipedoctor("plan", EXAMPLE, "--output-format", "json")
    report = json.loads(done.stdout)
    assert (report["schema_version"], done.returncode) == (1, 0)
    assert {check["code"][:3] for check in report["checks"]} <= {"RUN", "HYP", "CKP", "LOS", "EVA"}
    told = report["plan"]
    assert (told["total_steps"], told["checkpoints"]["first"], told["disk"]["peak"]) == (
        114,
        38,
        3,
    )
    assert told["learning_rate"]["samples"][10] == [11, 5e-05]
    assert told["disk"]["full_at"] is None


def test_what_is_found_makes_the_status(pipedoctor: Run, config: Callable[..., str]) -> None:
    done = pipedoctor("plan", config(warmup_steps=5000))
    assert done.returncode == 1
    assert "HYP003" in done.stdout
    assert "LAB001" not in done.stdout
    assert pipedoctor("plan", config(warmup_steps=5000), "--exit-zero").returncode == 0


@pytest.mark.parametrize("depth", ["static", "files"])
def test_rows_that_are_stated_win_over_the_file(pipedoctor: Run, depth: str) -> None:
    words = ("--rows", "104,743", "--depth", depth)
    done = pipedoctor("plan", EXAMPLE, *words, "--output-format", "json")
    told = figures(done.stdout)
    assert (told["rows"], told["total_steps"]) == (104_743, 39_279)
    counted = ", not the 300 of the file" if depth == "files" else ""
    assert told["rows_from"] == f"as --rows says{counted}"


def test_rows_that_are_stated_and_cut(pipedoctor: Run, config: Callable[..., str]) -> None:
    path = config(max_train_samples=80, train_file=None, dataset_name="glue")
    done = pipedoctor("plan", path, "--rows", "104743", "--output-format", "json")
    assert figures(done.stdout)["total_steps"] == 30


def test_check_takes_them_too(pipedoctor: Run, config: Callable[..., str]) -> None:
    path = config(
        train_file=None,
        dataset_name="glue",
        save_strategy="steps",
        save_steps=5000,
        eval_strategy="no",
        load_best_model_at_end=None,
    )
    words = ("check", path, "--depth", "files")
    assert "39,279 steps" not in pipedoctor(*words).stdout
    done = pipedoctor(*words, "--rows", "104743")
    assert "104,743 rows (as --rows says)" in done.stdout
    assert "39,279 steps" in done.stdout
    assert "HYP009" in done.stdout


def test_a_check_with_data_holds_to_them(pipedoctor: Run) -> None:
    pytest.importorskip("transformers")
    done = pipedoctor("check", EXAMPLE, "--rows", "80", "--output-format", "json")
    facts = json.loads(done.stdout)["facts"]
    schedules = [fact["total_steps"] for fact in facts if fact["fact"] == "Schedule"]
    assert schedules == [30]


@pytest.mark.parametrize("rows", ["0", "-3", "many", "1.5", "1" * 20])
def test_rows_that_are_no_number(pipedoctor: Run, rows: str) -> None:
    done = pipedoctor("plan", EXAMPLE, f"--rows={rows}")
    assert (done.returncode, "is no number of rows" in done.stderr) == (2, True)


SCRIPT = """
from transformers import Trainer, TrainingArguments

args = TrainingArguments("out", per_device_train_batch_size=4, max_steps={steps}, report_to="none")
Trainer(model, args, train_dataset=data).train()
"""


def test_a_script_is_read_not_run(pipedoctor: Run, project: Path) -> None:
    (project / "train.py").write_text(SCRIPT.format(steps=700))
    done = pipedoctor("plan", "train.py")
    assert "700 optimizer steps" in done.stdout
    assert "2 checkpoints" in done.stdout


def test_a_script_whose_data_is_not_known(pipedoctor: Run, project: Path) -> None:
    (project / "train.py").write_text(SCRIPT.format(steps=-1))
    done = pipedoctor("plan", "train.py")
    assert "can't be laid out" in done.stdout
    assert "--depth model" in done.stdout
    assert "750 optimizer steps" in pipedoctor("plan", "train.py", "--rows", "1000").stdout


FACTORY = """
import torch
from transformers import Trainer, TrainingArguments

class Line(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1000, 1000)
    def forward(self, x, labels=None):
        return {"loss": self.layer(x).sum()}

def build():
    data = [{"x": torch.zeros(1000), "labels": 0}] * 40
    args = TrainingArguments("out", use_cpu=True, report_to="none", save_steps=5)
    return Trainer(Line(), args, train_dataset=data)
"""


def test_a_factory_is_called_and_its_data_counted(pipedoctor: Run, project: Path) -> None:
    pytest.importorskip("transformers")
    (project / "mine.py").write_text(FACTORY)
    done = pipedoctor("plan", "mine:build", "--output-format", "json")
    told = figures(done.stdout)
    assert (told["total_steps"], told["checkpoints"]["count"]) == (15, 3)
    assert told["disk"]["bytes_each"] == pytest.approx(3 * 4_004_000, rel=0.01)


def test_the_data_of_a_trainer_wins_over_what_is_stated(pipedoctor: Run, project: Path) -> None:
    pytest.importorskip("transformers")
    (project / "mine.py").write_text(FACTORY)
    done = pipedoctor("plan", "mine:build", "--rows", "7000")
    assert "15 optimizer steps" in done.stdout
    assert "--rows is not used: the trainer's own data has 40 rows" in done.stdout


def test_a_script_that_is_run(pipedoctor: Run, project: Path) -> None:
    pytest.importorskip("transformers")
    (project / "train.py").write_text(f"{FACTORY}\nbuild().train()\n")
    done = pipedoctor("plan", "train.py", "--depth", "model")
    assert "15 optimizer steps" in done.stdout
    assert not list((project / "out").glob("*")), "nothing was trained"


def test_colour_and_width(project: Path) -> None:
    written = in_terminal(["plan", EXAMPLE], project, 72)
    assert "\x1b[35m" in written  # the learning rate
    lines = ESCAPES.sub("", written).splitlines()
    charts = [line for line in lines if "─" in line or "█" in line]
    assert len(charts) > 8
    assert {len(line.rstrip()) for line in charts if "checkpoints" in line} == {72}
    assert all(len(line) <= 72 for line in lines)
    assert "\x1b" not in in_terminal(["plan", EXAMPLE], project, 72, NO_COLOR="1")


@pytest.mark.parametrize(
    ("size", "number"),
    [
        ("50GB", 50 * 10**9),
        ("1.5g", 1_500_000_000),
        ("2GiB", 2**31),
        ("700MB", 7 * 10**8),
        ("9", 9),
    ],
)
def test_room_that_is_stated(pipedoctor: Run, size: str, number: int) -> None:
    words = ("--room", size, "--select", "CKP001", "--output-format", "json")
    report = json.loads(pipedoctor("plan", EXAMPLE, *words).stdout)
    assert report["plan"]["disk"]["free"] == number
    assert bool(report["findings"]) is (number < 8 * 10**8)
    if number == 7 * 10**8:
        assert report["plan"]["disk"]["full_at"] == 114


@pytest.mark.parametrize("size", ["much", "GB", "", "-5GB", "nan", "inf", "1e40", "5XB"])
def test_room_that_is_no_size(pipedoctor: Run, size: str) -> None:
    done = pipedoctor("plan", EXAMPLE, f"--room={size}")
    assert (done.returncode, "is no size such as 50GB" in done.stderr) == (2, True)


def test_a_run_that_is_resumed(pipedoctor: Run, config: Callable[..., str], project: Path) -> None:
    folder = project / "out" / "checkpoint-38"
    folder.mkdir(parents=True)
    (folder / "trainer_state.json").write_text('{"global_step": 38, "max_steps": 114}')
    done = pipedoctor("plan", config(output_dir="out", resume_from_checkpoint=str(folder)))
    assert "resumed at step 38, drawn from the beginning" in " ".join(done.stdout.split())
