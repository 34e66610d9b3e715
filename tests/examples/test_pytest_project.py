"""The example project, its tests run as a user runs them: a planted fault fails them, mending it lets them pass."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("datasets")

EXAMPLE = Path(__file__).parents[2] / "examples" / "pytest_project"
WITH_RETURNS = {"TICKETS": "data/tickets_with_returns.csv"}

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__", "out", ".pytest_cache")
    return Path(shutil.copytree(EXAMPLE, tmp_path / "project", ignore=ignored))


@pytest.fixture
def run(project: Path, tmp_path: Path) -> Run:
    """Run the project's tests, with a cache of their own for the data."""

    def pytest_in_project(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        home = {"HF_HOME": str(tmp_path / "hf"), "COLUMNS": "160"}
        kept = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
        return subprocess.run(
            [sys.executable, "-m", "pytest", "--pipedoctor", "-rf", *words],
            cwd=project,
            env=kept | home | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=400,
        )

    return pytest_in_project


def test_the_planted_fault_fails_the_tests_and_is_named_first(run: Run) -> None:
    done = run(**WITH_RETURNS)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    failed = re.findall(r"^FAILED (.+)$", done.stdout, re.MULTILINE)
    assert [line.partition(" - ")[0] for line in failed] == [
        "tests/test_pipeline.py::test_training_may_start",
        "tests/test_pipeline.py::test_labels_and_head_agree",
        "train.py -- --epochs 3::ready",
        "train.py -- --epochs 3::LAB001",
    ]
    assert "AssertionError: LAB001 label-out-of-range: The data has labels 0, 1, 2, 3" in failed[0]
    assert " - LAB001 label-out-of-range: The data has labels 0, 1, 2, 3 but" in failed[2]
    assert "39 │ num_labels=CLASSES," in done.stdout


def test_mended_as_told_it_passes(run: Run, project: Path) -> None:
    script = project / "train.py"
    script.write_text(script.read_text().replace("CLASSES = 3", "CLASSES = 4"))
    done = run(**WITH_RETURNS)
    assert done.returncode == 0, done.stdout
    assert not list(project.rglob("checkpoint-*"))


def test_as_it_stands_its_target_is_ready(run: Run) -> None:
    done = run("-m", "pipedoctor")
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    assert "failed" not in done.stdout
