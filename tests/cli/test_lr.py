"""`pipedoctor lr` as users run it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli.conftest import Run

pytest.importorskip("transformers")

FACTORY = """
import torch
from torch import nn
from transformers import Trainer, TrainingArguments


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(16, 64), nn.Linear(64, 4)

    def forward(self, x, labels=None):
        logits = self.head(torch.relu(self.body(x)))
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


def build(rate=3e-3, nan=False, **stated):
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(512, 16, generator=generator)
    labels = x[:, :4].argmax(1)
    if nan:
        x[::20] = float("nan")
    rows = [{"x": row, "labels": int(label)} for row, label in zip(x.tolist(), labels)]
    args = TrainingArguments(
        "out", learning_rate=rate, num_train_epochs=50, report_to="none", use_cpu=True, **stated
    )
    return Trainer(model=Network(), args=args, train_dataset=rows)


def high():
    return build(rate=100.0)


def broken():
    return build(nan=True)


if __name__ == "__main__":
    build().train()
    open("trained.txt", "w").close()
"""


@pytest.fixture(autouse=True)
def _factory(project: Path) -> None:
    (project / "train.py").write_text(FACTORY)


def test_a_healthy_script_is_told_what_works(pipedoctor: Run, project: Path) -> None:
    done = pipedoctor("lr", "train.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Usual: 3e-4 to 0.003, 0.001 to begin with" in done.stdout
    assert "Tried: AdamW on 40 batches of the training data, 8 rows an update" in done.stdout
    assert "   works " in done.stdout
    assert "Yours, 0.003, is " in done.stdout
    assert "Try 0.0" in done.stdout
    assert "as before" in done.stdout
    assert "\x1b" not in done.stdout
    assert not (project / "trained.txt").exists()


def test_a_rate_that_is_too_high_is_proved_in_json(pipedoctor: Run) -> None:
    done = pipedoctor("lr", "train:high", "--output-format", "json", "--steps", "50")
    assert done.returncode == 1, done.stdout + done.stderr
    told = json.loads(done.stdout)["lr"]
    assert told["judged"] == "too high"
    assert told["times"] > 10
    assert told["suggestion"] < told["diverges"] < told["rate"] == 100
    assert told["restored"] is True
    assert told["steps"] <= 50
    assert told["usual"]["source"] == "the default of Adam in torch and Keras"
    assert told["points"][0]["rate"] == pytest.approx(1e-6)


def test_nan_is_no_matter_of_rates(pipedoctor: Run) -> None:
    done = pipedoctor("lr", "train:broken")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "No rate can be told: the loss of batch" in done.stdout
    assert "is nan before any update" in done.stdout
    assert "pipedoctor nan-trace" in done.stdout
    assert "Inconclusive: no suggestion" in done.stdout


@pytest.mark.parametrize("steps", ["0", "5", "100000", "many"])
def test_steps_that_make_no_test_are_refused(pipedoctor: Run, steps: str) -> None:
    done = pipedoctor("lr", "train:build", "--steps", steps)
    assert done.returncode == 2
    assert "--steps" in done.stderr
    assert len(done.stderr.strip().splitlines()[-1]) < 200
