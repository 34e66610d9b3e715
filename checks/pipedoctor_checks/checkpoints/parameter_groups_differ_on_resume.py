from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Optimizer, Restored

CURE = (
    "freeze the same parameters, and group them in the same way, as the run did that saved it; or "
    "delete optimizer.pt and scheduler.pt of the checkpoint to go on with a fresh optimizer"
)


@check(
    "CKP054",
    Severity.ERROR,
    stage=Stage.CHECKPOINT,
    symptoms={
        r"loaded state dict has a different number of parameter groups": CURE,
        r"loaded state dict contains a parameter group that doesn't match": CURE,
    },
)
def parameter_groups_differ_on_resume(
    restored: Restored, optimizer: Optimizer
) -> Iterator[Finding]:
    """
    The optimizer of this run has other groups of parameters than the one that was saved.

    A layer that was frozen, or no longer is, an optimizer made by hand with other groups: the
    state of a group of 12 parameters fits none of 8, and `load_state_dict` refuses it before the
    first step.

    Fails:

        import torch

        model = torch.nn.Linear(2, 2)
        optimizer = torch.optim.AdamW(model.parameters())
        settings = {"resume_from_checkpoint": True}
        files = {
            "run": {
                "checkpoint-500": {
                    "state": {"global_step": 500},
                    "files": {
                        "model.safetensors": {"tensors": {"w": ("F32", (2, 2))}},
                        "optimizer.pt": {"values": {"param_groups.0.params": (0,)}},
                        "scheduler.pt": {},
                    },
                },
            }
        }

    Passes:

        import torch

        model = torch.nn.Linear(2, 2)
        optimizer = torch.optim.AdamW(model.parameters())
        settings = {"resume_from_checkpoint": True}
        files = {
            "run": {
                "checkpoint-500": {
                    "state": {"global_step": 500},
                    "files": {
                        "model.safetensors": {"tensors": {"w": ("F32", (2, 2))}},
                        "optimizer.pt": {"values": {"param_groups.0.params": (0, 1)}},
                        "scheduler.pt": {},
                    },
                },
            }
        }

    See also: <https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.load_state_dict.html>.
    """
    if restored.saved.broken or not restored.loads_optimizer or optimizer.strangers:
        return
    saved = [len(group.parameters) for group in restored.groups]
    now = [len(group.parameters) for group in optimizer.groups]
    if saved == now:
        return
    yield Finding(
        message=f"optimizer.pt of step {restored.saved.step} has {_told(saved)}, and the optimizer "
        f"of this run {_told(now)}: load_state_dict refuses it",
        where=restored.where,
        evidence={"saved": saved, "run": now},
        remedy=CURE,
    )


def _told(groups: list[int]) -> str:
    words = " and ".join(str(size) for size in groups)
    return f"{len(groups)} group{'s' if len(groups) > 1 else ''} of {words} parameters"
