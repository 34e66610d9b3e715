"""The cure names the optimizer that the state is of, whatever the arguments beside it say."""

from __future__ import annotations

import pytest
from facts import outcome

from pipedoctor_checks.checkpoints.optimizer_of_another_kind_on_resume import (
    optimizer_of_another_kind_on_resume,
)

SGD = {"momentum": 0, "dampening": 0, "nesterov": False}
ADAMW = {"betas": (0.9, 0.999), "eps": 1e-8, "amsgrad": False}


@pytest.mark.parametrize(
    ("values", "before", "now", "named"),
    [
        (SGD, "adamw_torch_fused", "adamw_torch_fused", "'sgd'"),
        (SGD, "sgd", "adamw_torch", "'sgd'"),
        (ADAMW, "adamw_torch_fused", "sgd", "'adamw_torch_fused'"),
        (ADAMW, "sgd", "sgd", "'adamw_torch'"),
    ],
)
def test_the_cure_is_of_the_state(
    values: dict[str, object], before: str, now: str, named: str
) -> None:
    stored = {f"param_groups.0.{name}": value for name, value in values.items()}
    checkpoint = {
        "state": {"global_step": 12},
        "files": {
            "model.safetensors": {"tensors": {"w": ("F32", (2, 2))}},
            "optimizer.pt": {"values": {"param_groups.0.params": (0,), **stored}},
            "scheduler.pt": {},
            "training_args.bin": {"values": {"optim": before}},
        },
    }
    (finding,) = outcome(
        optimizer_of_another_kind_on_resume,
        settings={"resume_from_checkpoint": True, "optim": now},
        files={"run": {"checkpoint-12": checkpoint}},
        environment={"transformers": "5.23.0"},
    ).findings
    assert f"'optim': {named}" in finding.remedy.replace('"', "'")
