from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import Resumable


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
def broken_checkpoint_taken_on_resume(resumable: Resumable) -> Iterator[Finding]:
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
    restored = resumable.restored
    if restored is None:
        yield from _by_itself(resumable)
        return
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


def _by_itself(resumable: Resumable) -> Iterator[Finding]:
    """Yield that no training can go on from a checkpoint, with none at hand that would."""
    path, reason = resumable.saved.checkpoint.path, resumable.saved.broken
    if not reason:
        return
    whole = resumable.whole
    yield Finding(
        message=f"No training can go on from {path}: {reason}",
        where=Location(file=path),
        evidence={"checkpoint": path, "reason": reason, "whole": whole or None},
        remedy=f'resume from "{whole}", the newest that is whole, and delete {path}'
        if whole
        else "resume from an older checkpoint that is whole, or begin anew",
    )
