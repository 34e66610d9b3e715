from __future__ import annotations

from typing import Any

import pytest
from facts import outcome
from tiny_trainer import train

from pipedoctor_checks.data.batch_larger_than_the_data import batch_larger_than_the_data

DROP = {"dataloader_drop_last": True}


def told(rows: int, gpus: int = 0, **stated: Any) -> tuple[Any, ...]:
    machine = {"transformers": "5.23.0", "gpus": gpus}
    return outcome(
        batch_larger_than_the_data,
        settings={**DROP, **stated},
        train_data=range(rows),
        environment=machine,
    ).findings


def test_by_epochs_trainer_raises(tmp_path: Any) -> None:
    (finding,) = told(16, per_device_train_batch_size=32)
    assert finding.message.endswith("Trainer raises ValueError")
    with pytest.raises(ValueError, match="max_steps must be set"):
        train(tmp_path, max_steps=-1, num_train_epochs=1, per_device_train_batch_size=32, **DROP)


def test_by_steps_it_trains_nothing(tmp_path: Any) -> None:
    (finding,) = told(16, per_device_train_batch_size=32, max_steps=5)
    assert "0 steps are trained, without an error" in finding.message
    run = train(tmp_path, max_steps=5, per_device_train_batch_size=32, save_steps=1, **DROP)
    assert set(run.left) <= {0}


def test_the_gpus_share_a_batch() -> None:
    (finding,) = told(60, gpus=8, per_device_train_batch_size=8)
    assert finding.evidence == {"rows": 60, "batch": 64, "devices": 8}
    assert told(60, gpus=7, per_device_train_batch_size=8) == ()
    assert told(60, gpus=8, per_device_train_batch_size=8, use_cpu=True) == ()


@pytest.mark.parametrize(
    ("rows", "stated"),
    [
        (16, {"per_device_train_batch_size": 16}),
        (3, {"dataloader_drop_last": False, "per_device_train_batch_size": 16}),
        (0, {"per_device_train_batch_size": 16}),
    ],
)
def test_a_batch_is_left_or_it_is_another_fault(rows: int, stated: dict[str, Any]) -> None:
    assert told(rows, **stated) == ()
