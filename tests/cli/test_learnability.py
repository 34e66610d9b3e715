"""`pipedoctor overfit --learnability` as users run it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli.conftest import Run

pytest.importorskip("transformers")

FACTORY = """
import torch
from transformers import Trainer, TrainingArguments


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Linear(8, 256), torch.nn.ReLU())
        self.head = torch.nn.Linear(256, 2)

    def forward(self, x, labels=None):
        logits = self.head(self.body(x))
        return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}


def build(shuffled=False):
    torch.manual_seed(0)
    x = torch.randn(320, 8)
    labels = (x[:, 0] > 0).long()
    if shuffled:
        labels = labels[torch.randperm(320)]
    rows = [{"x": x[n], "labels": labels[n]} for n in range(320)]
    args = TrainingArguments("out", learning_rate=1e-2, num_train_epochs=50, report_to="none",
                             per_device_train_batch_size=16, use_cpu=True)
    return Trainer(model=Model(), args=args, train_dataset=rows)


def wrong():
    return build(shuffled=True)
"""


@pytest.fixture(autouse=True)
def _factory(project: Path) -> None:
    (project / "train.py").write_text(FACTORY)


def test_labels_that_go_with_the_inputs(pipedoctor: Run) -> None:
    done = pipedoctor("overfit", "train:build", "--learnability")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Beyond one batch" in done.stdout
    assert "The labels go with the inputs." in done.stdout
    assert "the best constant answer" in done.stdout
    assert "as before" in done.stdout


def test_shuffled_labels_are_a_finding(pipedoctor: Run) -> None:
    done = pipedoctor("overfit", "train:wrong", "--rows", "300", "--output-format", "json")
    told = json.loads(done.stdout)
    assert told["overfit"]["verdict"] == "learns"
    beyond = told["overfit"]["learnability"]
    assert beyond["rows"] == 300
    assert beyond["restored"] is True
    codes = [finding["code"] for finding in told["findings"]]
    unrelated = beyond["verdict"] == "nothing relates the labels to the inputs"
    assert unrelated, beyond["reason"]
    assert codes == ["DAT020"]
    assert done.returncode == 1


def test_without_being_asked_for_nothing_more_than_a_batch_is_trained_on(pipedoctor: Run) -> None:
    done = pipedoctor("overfit", "train:build")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Beyond one batch" not in done.stdout
