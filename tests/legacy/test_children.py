"""A child that starts with the models imported is what a fresh one would be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import json

import numpy as np
import tensorflow as tf
from transformers import DistilBertConfig, TFDistilBertForSequenceClassification

tf.keras.utils.set_random_seed(0)
small = {"dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 16, "max_position_embeddings": 16}
model = TFDistilBertForSequenceClassification(DistilBertConfig(vocab_size=50, **small))
model.compile(tf.keras.optimizers.Adam(5e-5))
rows = {"input_ids": np.arange(64).reshape(8, 8) % 50, "labels": np.arange(8) % 2}
history = model.fit(rows, batch_size=4, verbose=0).history["loss"]
with open("done.json", "w") as file:
    json.dump([tf.keras.Model.__module__, history], file)
"""


def test_a_training_in_a_child_is_that_of_python_itself(tmp_path: Path, warm: list[str]) -> None:
    (tmp_path / "train.py").write_text(SCRIPT)
    outcomes = []
    for words in ([sys.executable], [*warm, "run"], [*warm, "run"]):
        done = subprocess.run(
            [*words, "train.py"],
            cwd=tmp_path,
            env={**os.environ, "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        outcomes.append(json.loads((tmp_path / "done.json").read_text()))
        (tmp_path / "done.json").unlink()
    assert outcomes[0][0] == "tf_keras.src.engine.training"
    assert outcomes[1] == outcomes[2] == outcomes[0]
