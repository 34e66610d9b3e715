"""The story that this tool was begun for: QNLI, 104,743 rows, batch 8, 3 epochs, BERT."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cli.conftest import Run

ROWS = 104_743
BATCH, EPOCHS = 8, 3


@pytest.fixture
def story(project: Path, config: Callable[..., str]) -> Callable[..., str]:
    """The example with as many rows as QNLI has, and the arguments of the story."""
    lines = (project / "examples" / "qnli" / "train.csv").read_text().splitlines()
    head, rows = lines[0], lines[1:]
    many = (rows * (ROWS // len(rows) + 1))[:ROWS]
    (project / "qnli.csv").write_text("\n".join([head, *many]) + "\n")

    def write(**changes: object) -> str:
        plain = {
            "train_file": "qnli.csv",
            "per_device_train_batch_size": BATCH,
            "num_train_epochs": EPOCHS,
            "save_strategy": None,
            "save_steps": None,
            "eval_strategy": None,
            "save_total_limit": None,
            "load_best_model_at_end": None,
            "metric_for_best_model": None,
        }
        return config(**{**plain, **changes})

    return write


def facts(stdout: str) -> dict[str, dict]:
    return {fact["fact"]: fact for fact in json.loads(stdout)["facts"]}


def test_the_first_checkpoint_of_an_epoch_strategy(
    pipedoctor: Run, story: Callable[..., str]
) -> None:
    path = story(save_strategy="epoch")
    done = pipedoctor("check", path, "--depth", "files", "--output-format", "json")
    (note,) = [f for f in json.loads(done.stdout)["findings"] if f["code"] == "HYP009"]
    assert "13,093" in note["message"]
    assert "39,279" in note["message"]
    assert facts(done.stdout)["Schedule"]["checkpoints"] == EPOCHS


def test_the_defaults_write_79_checkpoints(pipedoctor: Run, story: Callable[..., str]) -> None:
    done = pipedoctor("check", story(), "--depth", "files", "--output-format", "json")
    plan = facts(done.stdout)["CheckpointPlan"]
    assert plan["count"] == plan["peak"] == 79
    assert plan["peak_bytes"] == 79 * plan["bytes_each"]
    # 22.7 million parameters, 4 bytes each, and AdamW's two moments
    assert plan["bytes_each"] == pytest.approx(22_713_216 * 12, rel=0.01)
    text = pipedoctor("check", story(), "--depth", "files").stdout
    assert "79 checkpoints of 273" in text
    assert "GB free" in text
