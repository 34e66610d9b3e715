"""`pipedoctor overfit` as users run it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli.conftest import Run

pytest.importorskip("transformers")

FACTORY = """
import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments


def build(rate=5e-4, freeze=False, **stated):
    torch.manual_seed(0)
    model = BertForSequenceClassification(BertConfig(
        vocab_size=200, hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=32, num_labels=4,
    ))
    if freeze:
        model.requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    words = torch.randint(5, 200, (64, 12), generator=generator).tolist()
    rows = [{"input_ids": ids, "labels": n // 16} for n, ids in enumerate(words)]
    args = TrainingArguments(
        "out", learning_rate=rate, num_train_epochs=50, report_to="none", use_cpu=True, **stated
    )
    return Trainer(model=model, args=args, train_dataset=rows)


def slow():
    return build(rate=1e-9)


def frozen():
    return build(freeze=True)


def waiting():
    import time

    trainer = build(rate=2e-6)
    trainer.model.register_forward_hook(lambda *_: time.sleep(1))
    return trainer


if __name__ == "__main__":
    build().train()
    open("trained.txt", "w").close()
"""


@pytest.fixture(autouse=True)
def _factory(project: Path) -> None:
    (project / "train.py").write_text(FACTORY)


def test_a_healthy_factory_learns(pipedoctor: Run) -> None:
    done = pipedoctor("overfit", "train:build")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "they hold all 4 labels" in done.stdout
    assert "yours  AdamW 5e-4" in done.stdout
    last = done.stdout.rstrip().splitlines()[-1]
    assert "as before" in done.stdout
    assert "Learns" in done.stdout, last


def test_a_script_is_stopped_where_it_would_train(pipedoctor: Run, project: Path) -> None:
    done = pipedoctor("overfit", "train.py", "--output-format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)["overfit"]
    assert told["verdict"] == "learns"
    assert told["restored"] is True
    assert told["curves"][0]["own"] is True
    assert told["curves"][0]["losses"][0] == pytest.approx(1.386, abs=0.1)
    assert not (project / "trained.txt").exists()


def test_a_rate_that_is_too_low_is_named_first(pipedoctor: Run) -> None:
    done = pipedoctor("overfit", "train:slow")
    assert done.returncode == 1
    story = done.stdout
    assert "HYP010 rate-too-low" in story
    assert "Learns too slowly at your rate" in story
    assert story.index("rate-too-low") < story.index("Learns too slowly")
    assert "At 1e-9 AdamW would take" in story


def test_what_is_frozen_cannot_learn(pipedoctor: Run) -> None:
    done = pipedoctor("overfit", "train:frozen", "--output-format", "json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert told["overfit"]["verdict"] == "cannot learn"
    assert told["overfit"]["reasons"][0]["kind"] == "nothing-trainable"
    assert told["overfit"]["steps"] == 0
    assert told["findings"][0]["code"] == "GRD006"
    assert "LOS003" in [folded["code"] for folded in told["findings"][0]["folded"]]


def test_no_more_steps_than_asked_for(pipedoctor: Run) -> None:
    done = pipedoctor("overfit", "train:slow", "--steps", "3", "--output-format", "json")
    assert json.loads(done.stdout)["overfit"]["steps"] <= 3
    assert done.returncode == 1


def test_check_trains_only_where_it_is_asked_to(pipedoctor: Run) -> None:
    usual = json.loads(pipedoctor("check", "train:slow", "--output-format", "json").stdout)
    assert "LOS003" not in {one["code"] for one in usual["checks"]}
    deep = pipedoctor("check", "train:slow", "--depth", "training", "--output-format", "json")
    found = {one["code"]: one["status"] for one in json.loads(deep.stdout)["checks"]}
    assert found["LOS003"] == "found"


def test_where_the_time_is_short_nothing_is_settled(pipedoctor: Run) -> None:
    """Whether the process is stopped or has ended by itself: it is no fault, and no proof."""
    done = pipedoctor("overfit", "train:waiting", "--time", "12")
    assert done.returncode == 4
    verdict = " ".join(done.stdout.split())
    assert "Could not tell: time ran out after" in verdict
    assert "--time 120 allows more" in verdict
    assert "Not ready" not in verdict
