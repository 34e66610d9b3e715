"""At which step a run goes on is told by its state, whatever its folder is called."""

from facts import outcome

from pipedoctor_checks.checkpoints.optimizer_state_dropped_on_resume import (
    optimizer_state_dropped_on_resume,
)


def test_the_step_is_that_of_the_state() -> None:
    checkpoint = {
        "state": {"global_step": 16, "max_steps": 1000},
        "files": {
            "model.safetensors": {"tensors": {"w": ("F32", (2, 2))}},
            "optimizer.pt": {},
        },
    }
    (finding,) = outcome(
        optimizer_state_dropped_on_resume,
        settings={"resume_from_checkpoint": True},
        files={"run": {"checkpoint-500": checkpoint}},
        environment={"transformers": "5.23.0"},
    ).findings
    assert "goes on at step 16 with a fresh optimizer" in finding.message
