"""What a training that goes on from a checkpoint would end with."""

from __future__ import annotations

from facts import outcome

from pipedoctor_checks.checkpoints.broken_checkpoint_taken_on_resume import (
    broken_checkpoint_taken_on_resume,
)

OPTIMIZER = {"param_groups.0.params": (0,), "param_groups.0.lr": 0.1}


def test_a_scheduler_that_is_the_optimizer_is_no_schedule() -> None:
    checkpoint = {
        "state": {"global_step": 12},
        "files": {
            "model.safetensors": {"tensors": {"w": ("F32", (2, 2))}},
            "optimizer.pt": {"values": OPTIMIZER},
            "scheduler.pt": {"values": OPTIMIZER},
        },
    }
    (finding,) = outcome(
        broken_checkpoint_taken_on_resume,
        settings={"resume_from_checkpoint": True},
        files={"run": {"checkpoint-12": checkpoint}},
        environment={"transformers": "5.23.0"},
    ).findings
    assert "scheduler.pt is the state of an optimizer" in finding.message
    assert "KeyError: 'lr_lambdas'" in finding.message
