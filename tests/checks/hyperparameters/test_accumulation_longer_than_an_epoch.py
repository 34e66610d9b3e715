from __future__ import annotations

from typing import Any

import pytest
from facts import outcome
from tiny_trainer import train

from pipedoctor.report import Status
from pipedoctor_checks.hyperparameters.accumulation_longer_than_an_epoch import (
    accumulation_longer_than_an_epoch as check,
)


def run(version: str = "5.23.0", *, rows: int = 16, **stated: Any) -> Any:
    machine = {"transformers": version, "gpus": 0}
    given = {"per_device_train_batch_size": 4, **stated}
    return outcome(check, settings=given, train_data=range(rows), environment=machine)


def test_each_epoch_is_one_step_as_trainer_counts(tmp_path: Any) -> None:
    (finding,) = run(gradient_accumulation_steps=64, num_train_epochs=3).findings
    assert finding.evidence == {
        "gradient_accumulation_steps": 64,
        "batches_per_epoch": 4,
        "total_steps": 3,
    }
    real = train(
        tmp_path,
        gradient_accumulation_steps=64,
        num_train_epochs=3,
        max_steps=-1,
        save_strategy="steps",
        save_steps=1,
    )
    assert real.left == [1, 2, 3]


@pytest.mark.parametrize("accumulated", [1, 2, 4])
def test_what_an_epoch_holds(accumulated: int) -> None:
    assert run(gradient_accumulation_steps=accumulated).findings == ()


def test_a_single_batch_with_nothing_accumulated() -> None:
    assert run(rows=3, gradient_accumulation_steps=1).findings == ()


def test_where_releases_are_not_known_to_do_it() -> None:
    assert run("4.50.0", gradient_accumulation_steps=64).status is Status.SKIPPED
