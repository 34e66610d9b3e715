from __future__ import annotations

import shlex
from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.checkpoints.file_loaders import quoted
from pipedoctor.facts import Resumable, Saved

_LOADED = ("optimizer.pt", "scheduler.pt")


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
    if not resumable.told:
        return
    one, restored, whole = resumable.saved, resumable.restored, resumable.whole
    path = one.checkpoint.path
    yield Finding(
        message=f"No training can go on from {path}: {one.broken}"
        if restored is None
        else f"The run resumes from {path}, which it can't go on from: {one.broken}",
        where=Location(file=path) if restored is None else restored.where,
        evidence={
            "checkpoint": path,
            "reason": one.broken,
            "files": sorted(one.faulty),
            "whole": whole or None,
        },
        remedy=_go_on(resumable) if whole else _without(one),
    )


def _go_on(resumable: Resumable) -> str:
    path, whole = resumable.saved.checkpoint.path, resumable.whole
    how = "resume from" if resumable.restored is None else "set resume_from_checkpoint to"
    return f'{how} "{whole}", the newest that is whole, and delete {path}'


def _without(one: Saved) -> str:
    """Return what can be done with a checkpoint that is the only one."""
    held = one.checkpoint
    names = {file.name for file in held.files}
    random = {name for name in names if name.startswith("rng_state")}
    if one.faulty <= {*_LOADED, *random}:
        # Trainer looks for both states of these two, and begins both anew where one is missing.
        pair = [name for name in _LOADED if one.faulty & set(_LOADED)]
        gone = [*pair, *sorted(one.faulty & random)]
        paths = " ".join(shlex.quote(f"{held.path}/{name}") for name in gone)
        fresh = "a fresh optimizer and schedule" if pair else "other random numbers"
        return f"rm {paths}: a training then goes on from its weights, with {fresh}"
    if one.faulty == {"latest"}:
        latest = shlex.quote(f"{held.path}/latest")
        return f"copy it here, or: printf %s {shlex.quote(held.zero[-1])} > {latest}"
    weights = held.weights
    if weights and not one.faulty & {file.name for file in weights} and held.known("config"):
        return (
            "no checkpoint beside it is whole; its weights are: begin anew from them, with "
            f"from_pretrained({quoted(held.path)})"
        )
    return "no checkpoint beside it is whole: leave resume_from_checkpoint out to begin anew"
