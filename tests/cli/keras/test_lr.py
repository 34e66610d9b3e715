"""`pipedoctor lr` for a script that calls fit."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import keras_script

SCRIPT = keras_script.of_rows(1024)

Pipedoctor = Callable[..., subprocess.CompletedProcess[str]]


def test_a_rate_set_by_a_string_is_named(project: Path, pipedoctor: Pipedoctor) -> None:
    (project / "train.py").write_text(SCRIPT)
    done = pipedoctor("lr", "train.py")
    assert done.returncode == 0, done.stdout + done.stderr
    words = " ".join(done.stdout.split())
    assert "Tried: Adam on 32 batches of the training data, 32 rows an update" in words
    assert "Yours, 0.001 (nobody stated it: it is what Keras gives Adam by default)" in words
    assert "as before" in words
