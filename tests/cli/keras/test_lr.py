"""`pipedoctor lr` for a script that calls fit."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

SCRIPT = """
import keras
import numpy as np

keras.utils.set_random_seed(0)
random = np.random.default_rng(0)
x = random.normal(size=(1024, 8)).astype("float32")
y = (x[:, 0] > 0).astype("int64")
layers = [keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1, activation="sigmoid")]
model = keras.Sequential([keras.Input((8,)), *layers])
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=20, verbose=0)
"""

Pipedoctor = Callable[..., subprocess.CompletedProcess[str]]


def test_a_rate_set_by_a_string_is_named(project: Path, pipedoctor: Pipedoctor) -> None:
    (project / "train.py").write_text(SCRIPT)
    done = pipedoctor("lr", "train.py")
    assert done.returncode == 0, done.stdout + done.stderr
    words = " ".join(done.stdout.split())
    assert "Tried: Adam on 32 batches of the training data, 32 rows an update" in words
    assert "Yours, 0.001 (nobody stated it: it is what Keras gives Adam by default)" in words
    assert "as before" in words
