from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Restored


@check(
    "CKP050",
    Severity.ERROR,
    stage=Stage.CHECKPOINT,
    symptoms={
        r"No such file or directory: '.*trainer_state\.json'": (
            "the save of that checkpoint was interrupted: resume from the one before it"
        ),
    },
)
def broken_checkpoint_taken_on_resume(restored: Restored) -> Iterator[Finding]:
    """
    The checkpoint that the run resumes from can't be gone on from, mostly since its save was cut off.

    Trainer writes straight into `checkpoint-N`, and the state of the run, `trainer_state.json`,
    comes last: a run that is killed while it saves leaves a folder without it. Yet
    `resume_from_checkpoint=True` takes the folder of the highest number, whatever is in it, and
    never falls back to an older one. What it raises then seldom names the file: a cut optimizer.pt
    is "Invalid argument", an empty one an `EOFError` without a text.

    Fails:

        settings = {"resume_from_checkpoint": True}
        files = {
            "run": {
                "checkpoint-500": {
                    "state": {"global_step": 500},
                    "files": {"model.safetensors": {"tensors": {"w": ("F32", (2, 2))}}},
                },
                "checkpoint-1000": {
                    "files": {
                        "model.safetensors": {"tensors": {"w": ("F32", (2, 2))}},
                        "optimizer.pt": {"size": 0},
                    },
                },
            }
        }
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"resume_from_checkpoint": True}
        files = {
            "run": {
                "checkpoint-500": {
                    "state": {"global_step": 500},
                    "files": {"model.safetensors": {"tensors": {"w": ("F32", (2, 2))}}},
                },
            }
        }
        environment = {"transformers": "5.23.0"}

    See also: <https://huggingface.co/docs/transformers/main_classes/trainer>, `train`.
    """
    reason = restored.saved.broken
    if not reason:
        return
    whole = restored.whole if restored.known("whole") else ""
    remedy = f'set resume_from_checkpoint to "{whole}", the newest that is whole'
    yield Finding(
        message=f"The run resumes from {restored.path}, which it can't go on from: {reason}",
        where=restored.where,
        evidence={"checkpoint": restored.path, "reason": reason, "whole": whole or None},
        remedy=(f"{remedy}, and delete {restored.path}")
        if whole
        else "no checkpoint beside it is whole: leave resume_from_checkpoint out to begin anew",
    )
