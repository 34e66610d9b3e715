from __future__ import annotations

from typing import Any

import pytest
from facts import outcome
from tiny_trainer import train

from pipedoctor.finding import Severity
from pipedoctor_checks.hyperparameters.epochs_cut_short_by_max_steps import (
    epochs_cut_short_by_max_steps as check,
)


def told(rows: int = 3200, **stated: Any) -> tuple[Any, ...]:
    machine = {"transformers": "5.23.0", "gpus": 0}
    return outcome(check, settings=stated, train_data=range(rows), environment=machine).findings


def test_the_numbers() -> None:
    (finding,) = told(num_train_epochs=5, max_steps=100, per_device_train_batch_size=8)
    assert finding.evidence == {"max_steps": 100, "steps_of_epochs": 2000, "epochs": 5}
    assert "ends after 0.25 epochs" in finding.message
    assert finding.severity is None


@pytest.mark.parametrize(("epochs", "steps"), [(3, 100), (1, 4000)])
def test_the_default_stated_anew_and_a_longer_run_are_notes(epochs: int, steps: int) -> None:
    (finding,) = told(num_train_epochs=epochs, max_steps=steps)
    assert finding.severity is Severity.NOTE


@pytest.mark.parametrize(
    "stated",
    [
        {"max_steps": 100},
        {"num_train_epochs": 2},
        {"num_train_epochs": 2, "max_steps": -1},
        {"num_train_epochs": 2, "max_steps": 0},
        {"num_train_epochs": -1, "max_steps": 100},
        {"num_train_epochs": 2, "max_steps": 800},
        {"num_train_epochs": 2, "max_steps": 760},
    ],
    ids=str,
)
def test_one_of_them_or_both_the_same(stated: dict[str, Any]) -> None:
    assert told(**stated) == ()


def test_trainer_goes_by_the_steps(tmp_path: Any) -> None:
    run = train(tmp_path, max_steps=6, num_train_epochs=5, save_strategy="steps", save_steps=1)
    assert run.left == [1, 2, 3, 4, 5, 6]  # 5 epochs are 20 steps
