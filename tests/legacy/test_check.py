"""`pipedoctor check` where transformers still has TensorFlow models."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import numpy as np
from transformers import TFAutoModelForSequenceClassification

model = TFAutoModelForSequenceClassification.from_pretrained("somewhere", num_labels=3)
model.compile(optimizer="adam")
model.fit({"input_ids": np.zeros((8, 4), int)}, np.zeros(8, int))
"""


@pytest.mark.smoke
def test_a_script_is_judged_by_what_is_installed(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    words = ["check", str(script), "--depth", "static", "--output-format", "json"]
    done = subprocess.run(
        [sys.executable, "-m", "pipedoctor", *words], capture_output=True, text=True, check=False
    )
    found = {finding["code"] for finding in json.loads(done.stdout)["findings"]}
    # Neither that there is no such class (5.0), nor that tf-keras is missing.
    assert found == {"KER004"}, done.stdout
