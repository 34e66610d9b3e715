"""nan-trace, the recorder and replay on a script of Keras, from the command line."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from recorder import poisoned_fit
from recorder.poisoned_fit import BAD_ROW, STEP

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def script(project: Path) -> str:
    (project / "train.py").write_text(Path(poisoned_fit.__file__).read_text())
    return "train.py"


@pytest.fixture
def capsule(project: Path, pipedoctor: Run, script: str) -> str:
    done = pipedoctor("run", "--record", "--force", script)
    assert done.returncode == 1, done.stderr
    assert f"pipedoctor: step {STEP}: " in done.stderr
    assert "the weights are those of the step before" in done.stderr
    (found,) = project.glob("pipedoctor-capsule-*")
    return found.name


def test_a_script_is_recorded_replayed_and_its_cure_proved(
    pipedoctor: Run, script: str, capsule: str
) -> None:
    done = pipedoctor("replay", capsule, script, "--output-format", "json")
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)["replay"]
    assert (told["step"], told["rows"]) == (STEP, [BAD_ROW])
    first = told["causes"][0]
    assert first["family"] == "log-of-zero"
    assert first["where"]["source"].endswith("# HERE")
    assert first["module"].endswith("logarithm")
    done = pipedoctor("replay", capsule, "--with-fix", "train:build")
    assert f"Not cured: step {STEP}" in done.stdout
    assert done.returncode == 1
    done = pipedoctor("replay", capsule, "--with-fix", "train:mended")
    assert f"Cured: step {STEP} is finite with train:mended" in done.stdout
    assert done.returncode == 0, done.stderr


def test_the_first_batches_are_finite_and_all_of_them_are_not(
    pipedoctor: Run, script: str
) -> None:
    done = pipedoctor("nan-trace", script, "--batches", "2")
    assert "Finite: loss and gradients of 2 batches; there are 60" in done.stdout
    assert done.returncode == 0, done.stderr
    done = pipedoctor("nan-trace", script, "--all", "--output-format", "json")
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    (finding,) = report["findings"]
    assert finding["code"] == "NUM020"
    assert (report["nan_trace"]["batch"], report["nan_trace"]["rows"]) == (STEP - 1, [BAD_ROW])
    done = pipedoctor("nan-trace", script, "--steps", "60", "--output-format", "json")
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)["nan_trace"]
    assert (told["step"], told["rows"]) == (STEP, [BAD_ROW])
