"""`pipedoctor overfit` for a script that calls fit."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import keras_script
import pytest

SCRIPT = keras_script.of_rows(256)

Pipedoctor = Callable[..., subprocess.CompletedProcess[str]]


def test_a_fit_that_can_learn_is_said_to(project: Path, pipedoctor: Pipedoctor) -> None:
    (project / "train.py").write_text(SCRIPT)
    done = pipedoctor("overfit", "train.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 rows of the training data" in done.stdout
    assert "they hold all 2 labels" in done.stdout
    assert "Learns" in done.stdout
    assert "as before" in done.stdout


@pytest.mark.tensorflow
def test_a_fit_that_cannot_learn_fails_with_the_reason(
    project: Path, pipedoctor: Pipedoctor
) -> None:
    (project / "train.py").write_text(SCRIPT.replace('"sigmoid"', '"softmax"'))
    done = pipedoctor("overfit", "train.py", "--output-format", "json")
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)["overfit"]
    assert told["verdict"] == "cannot learn"
    assert told["reasons"][0]["code"] == "KER003"
    assert told["restored"] is True
