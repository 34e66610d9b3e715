"""A child that starts with Keras imported is what a fresh one would be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SCRIPT = """
import json

import keras
import numpy as np

keras.utils.set_random_seed(0)
random = np.random.default_rng(0)
x, y = random.normal(size=(64, 4)).astype("float32"), random.integers(0, 3, 64)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8), keras.layers.Dense(3)])
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile("adam", loss, jit_compile=False)
history = model.fit(x, y, epochs=2, verbose=0).history["loss"]
with open("done.json", "w") as file:
    json.dump([keras.backend.backend(), history], file)
"""


@pytest.mark.smoke
def test_a_training_in_a_child_is_that_of_python_itself(
    project: Path, pipedoctor: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    (project / "train.py").write_text(SCRIPT)
    subprocess.run([sys.executable, "train.py"], cwd=project, check=True, capture_output=True)
    alone = json.loads((project / "done.json").read_text())
    assert alone[0] == os.environ["KERAS_BACKEND"]
    for _ in range(2):  # of the same process
        (project / "done.json").unlink()
        done = pipedoctor("run", "train.py")
        assert done.returncode == 0, done.stderr
        backend, losses = json.loads((project / "done.json").read_text())
        assert backend == alone[0]
        assert losses == pytest.approx(alone[1], rel=1e-5)


@pytest.mark.tensorflow
def test_a_step_compiled_in_a_child_trains(
    project: Path, pipedoctor: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    (project / "train.py").write_text(SCRIPT.replace("jit_compile=False", "jit_compile=True"))
    done = pipedoctor("run", "train.py")
    assert done.returncode == 0, done.stderr
    assert json.loads((project / "done.json").read_text())[0] == "tensorflow"
