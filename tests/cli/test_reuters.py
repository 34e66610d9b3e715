"""Real texts and a real model from a config: quiet when healthy, the cause first when not."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cli.conftest import Run
from resources import reuters


@pytest.fixture
def reuters_config(project: Path, config: Callable[..., str]) -> Callable[..., str]:
    """A config on Reuters R8: 5,485 texts of 8 classes, numbered in the order of their names."""
    rows = reuters()
    names = sorted({label for label, _ in rows})
    for name, part in (("train.csv", rows[500:]), ("dev.csv", rows[:500])):
        with (project / name).open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["text", "label"])
            writer.writerows([text, names.index(label)] for label, text in part)

    def write(**changes: object) -> str:
        return config(**{"train_file": "train.csv", "validation_file": "dev.csv"} | changes)

    return write


@pytest.mark.parametrize("outputs", [8, None])
def test_healthy(pipedoctor: Run, reuters_config: Callable[..., str], outputs: int | None) -> None:
    """With a stated head of eight, and with the head that run_glue takes from the data."""
    done = pipedoctor("check", reuters_config(num_labels=outputs), "--output-format", "json")
    report = json.loads(done.stdout)
    assert [f["code"] for f in report["findings"] if f["severity"] != "note"] == []
    assert (done.returncode, report["ready"]) == (0, True)
    seen = {(fact["fact"], fact.get("split")): fact for fact in report["facts"]}
    assert seen["Labels", "train"]["rows"] == 4985
    assert seen["Forward", "train"]["rows"] > 0


def test_a_head_of_two(pipedoctor: Run, reuters_config: Callable[..., str]) -> None:
    done = pipedoctor("check", reuters_config(num_labels=2), "--output-format", "json")
    first, *_ = json.loads(done.stdout)["findings"]
    assert (done.returncode, first["code"]) == (1, "LAB001")
    assert first["evidence"]["labels"] == list(range(8))
    assert "0, 1, 2" in first["message"]
    assert " of 4,985 rows (" in first["message"]
    assert '"num_labels": 8' in first["remedy"]
    assert first["where"]["rows"]
