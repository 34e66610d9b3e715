"""TensorFlow models of transformers 4.57 with Keras 3 alone: what is foretold is what happens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = """
import numpy as np
from transformers import DistilBertConfig, TFDistilBertForSequenceClassification

small = {"dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 16, "max_position_embeddings": 16}
model = TFDistilBertForSequenceClassification(DistilBertConfig(vocab_size=50, **small))
model.compile(optimizer="adam")
model.fit({"input_ids": np.zeros((8, 4), int), "labels": np.zeros(8, int)}, verbose=0)
"""


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return variables under which `python -S` finds all that is installed here but tf-keras."""
    import tf_keras

    links = tmp_path_factory.mktemp("packages")
    own = Path(tf_keras.__file__).parent.parent
    for path in own.iterdir():
        if not path.name.startswith("tf_keras"):
            (links / path.name).symlink_to(path)
    places = [str(links) if Path(path) == own else path for path in sys.path if path]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(places), "NO_COLOR": "1"}


def run(without: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    variables = {k: v for k, v in without.items() if k != "TF_USE_LEGACY_KERAS"}
    return subprocess.run(
        [sys.executable, "-S", *words], env=variables, capture_output=True, text=True, check=False
    )


def findings(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    return found


def test_that_it_is_missing_is_said_before_it_is_run(
    without: dict[str, str], tmp_path: Path
) -> None:
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    words = ["-m", "pipedoctor", "check", str(script), "--depth", "static"]
    (first, *_) = findings(run(without, *words, "--output-format", "json"))
    assert (first["code"], first["remedy"]) == ("KER011", "pip install tf-keras")
    real = run(without, str(script))
    assert real.returncode
    assert "Keras 3" in real.stderr
    assert "pip install tf-keras" in real.stderr


def test_that_trainer_can_not_be_imported_is_said_of_the_environment(
    without: dict[str, str],
) -> None:
    done = run(without, "-m", "pipedoctor", "env", "--quick", "--output-format", "json")
    (told,) = (one for one in findings(done) if one["code"] == "VER018")
    assert "to import Trainer raises ValueError" in told["message"]
    assert told["remedy"].startswith("pip install tf-keras, or export USE_TF=0")
    real = run(without, "-c", "from transformers import Trainer")
    assert "Keras 3, but this is not yet supported" in real.stderr
    spared = {**without, "USE_TF": "0"}
    quiet = run(spared, "-m", "pipedoctor", "env", "--quick", "--output-format", "json")
    assert not [one for one in findings(quiet) if one["code"] == "VER018"]
    assert run(spared, "-c", "from transformers import Trainer").returncode == 0
