"""Which steps can't stand in one checkpoint, and which a training writes by itself."""

from __future__ import annotations

from typing import Any

import pytest
from facts import outcome

from pipedoctor_checks.checkpoints.states_of_different_steps import states_of_different_steps


def found(folder: int | str, state: int, schedule: dict[str, Any], optimizer: int | None) -> Any:
    held = {} if optimizer is None else {"values": {"state.0.step": 0, "state.1.step": optimizer}}
    return outcome(
        states_of_different_steps,
        files={
            "saved": {
                "path": f"out/checkpoint-{folder}",
                "kind": "trainer",
                "state": {"global_step": state},
                "files": {
                    "model.safetensors": {"tensors": {"w": ("F32", (2, 2))}},
                    "optimizer.pt": held,
                    "scheduler.pt": {"values": schedule},
                },
            }
        },
    ).findings


def test_an_optimizer_of_an_earlier_step() -> None:
    (finding,) = found(12, 12, {"last_epoch": 12}, 4)
    assert "optimizer.pt was saved at step 4, scheduler.pt" in finding.message
    assert "copy optimizer.pt of step 12 back" in finding.remedy


def test_a_state_of_an_earlier_step() -> None:
    (finding,) = found(12, 4, {"last_epoch": 12}, 12)
    assert "trainer_state.json was saved at step 4, optimizer.pt" in finding.message


@pytest.mark.parametrize(
    ("folder", "state", "schedule", "optimizer"),
    [
        pytest.param(12, 12, {"last_epoch": 12}, 12, id="as a training writes it"),
        pytest.param("final", 12, {"last_epoch": 12}, 12, id="a folder of another name"),
        pytest.param(99, 12, {"last_epoch": 12}, 12, id="a folder that was renamed"),
        pytest.param(12, 12, {"last_epoch": 9}, 9, id="steps that fp16 skipped"),
        pytest.param(12, 12, {"last_epoch": 4}, 4, id="an optimizer begun anew at step 8"),
        pytest.param(12, 12, {"last_epoch": 12}, 24, id="an optimizer trained before"),
        pytest.param(12, 12, {"last_epoch": 48}, 12, id="a schedule of four processes"),
        pytest.param(12, 12, {"last_epoch": 3, "num_bad_epochs": 0}, 12, id="a plateau"),
        pytest.param(12, 12, {"last_epoch": 12}, None, id="an optimizer without steps"),
    ],
)
def test_what_a_training_writes_by_itself(
    folder: int | str, state: int, schedule: dict[str, Any], optimizer: int | None
) -> None:
    assert not found(folder, state, schedule, optimizer)
