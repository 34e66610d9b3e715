from __future__ import annotations

import math
from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Unavailable, check
from pipedoctor.facts import Restored, Resume, Schedule, Settings
from pipedoctor.units import count

_BATCH = ("per_device_train_batch_size", "gradient_accumulation_steps")


@check("CKP020", Severity.ERROR, stage=Stage.CHECKPOINT)
def nothing_left_to_train_on_resume(
    resume: Resume, settings: Settings, schedule: Schedule | None, restored: Restored | None
) -> Iterator[Finding]:
    """
    The checkpoint to resume from is already at the last step, so that no step is trained.

    `num_train_epochs` and `max_steps` count from the beginning of the first run, not from the
    checkpoint: who trained 3 epochs and wants 2 more has to ask for 5. Otherwise `train()` loads
    the checkpoint, takes no step (one, in the middle of an epoch, for it looks only after it) and
    returns; what is saved then are the old weights, and the
    training loss that it tells is 0.0 or close to it. The learning-rate schedule of the first run
    has come to its end as well: more steps stretch it, so the rate jumps up where the old one had
    fallen to zero.

    Fails:

        settings = {"num_train_epochs": 3, "per_device_train_batch_size": 8}
        train_data = range(1600)
        call = {"resume_from_checkpoint": "out/checkpoint-600"}
        files = {"checkpoint": {"global_step": 600, "max_steps": 600}}
        environment = {"transformers": "5.23.0", "gpus": 0}

    Fails:

        settings = {
            "num_train_epochs": 3,
            "per_device_train_batch_size": 8,
            "gradient_accumulation_steps": 1,
            "resume_from_checkpoint": True,
        }
        files = {
            "run": {
                "checkpoint-600": {
                    "state": {"global_step": 600, "epoch": 3.0, "train_batch_size": 8},
                    "files": {
                        "model.safetensors": {"tensors": {"w": ("F32", (2, 2))}},
                        "training_args.bin": {
                            "values": {
                                "per_device_train_batch_size": 8,
                                "gradient_accumulation_steps": 1,
                            }
                        },
                    },
                },
            }
        }
        environment = {"transformers": "5.23.0", "gpus": 0}

    Passes:

        settings = {"num_train_epochs": 5, "per_device_train_batch_size": 8}
        train_data = range(1600)
        call = {"resume_from_checkpoint": "out/checkpoint-600"}
        files = {"checkpoint": {"global_step": 600, "max_steps": 600}}
        environment = {"transformers": "5.23.0", "gpus": 0}

    See also: <https://github.com/huggingface/transformers/issues/10290>.
    """
    if schedule is None or not schedule.known("total_steps"):
        yield from _by_epochs(resume, settings, restored)
        return
    total = schedule.total_steps
    if resume.step < total:
        return
    stated = settings.get("max_steps")
    key = "max_steps" if isinstance(stated, int) and stated > 0 else "num_train_epochs"
    yield Finding(
        message=f"{resume.path} is at step {count(resume.step)}, and {key} {settings.get(key):g} "
        f"ends the run at step {count(total)}: resumed from there, nothing is left to train, "
        + _steps(resume.step, schedule),
        where=resume.where if resume.where.file is not None else settings.where(key),
        evidence={"checkpoint": resume.path, "step": resume.step, "total_steps": total},
        remedy=f"set {_more(settings, key, resume.step, schedule)} (both count from the first run's beginning), "
        "or leave resume_from_checkpoint out to begin anew",
    )


def _by_epochs(resume: Resume, settings: Settings, restored: Restored | None) -> Iterator[Finding]:
    """
    Yield that as many epochs are trained as are asked for, where nobody knows the rows.

    So it is if the steps of an epoch are as many as before: the same batch, and the same rows.
    """
    steps, wanted = settings.get("max_steps"), settings.get("num_train_epochs")
    if isinstance(steps, int) and steps > 0:
        if resume.step >= steps:
            raise Unavailable("the steps of an epoch are not known")
        return
    if not isinstance(wanted, (int, float)) or not resume.known("epoch"):
        raise Unavailable("neither the rows nor the epoch of the checkpoint are known")
    if resume.epoch < wanted:
        return
    before = restored.arguments if restored is not None and restored.known("arguments") else {}
    same = all(key in before and before[key] == settings.get(key) for key in _BATCH)
    if not same:
        raise Unavailable("the number of rows is not known, and the batch is another one")
    yield Finding(
        message=f"{resume.path} has been trained for {resume.epoch:g} epochs, and num_train_epochs "
        f"{wanted:g} ends the run there: with the rows that it was trained on, nothing is left",
        where=resume.where
        if resume.where.file is not None
        else settings.where("num_train_epochs"),
        evidence={"checkpoint": resume.path, "epoch": resume.epoch, "epochs": wanted},
        remedy=f"set {settings.entry('num_train_epochs', math.floor(resume.epoch) + 1)} for one more "
        "epoch (they count from the first run's beginning), or leave resume_from_checkpoint out to "
        "begin anew",
    )


def _steps(step: int, schedule: Schedule) -> str:
    """Return how many steps are made all the same: Trainer looks for the end after a step only."""
    if not schedule.known("steps_per_epoch"):
        return "0 steps or one"
    epochs = -(-schedule.total_steps // schedule.steps_per_epoch)
    return "but one more step is made" if step // schedule.steps_per_epoch < epochs else "0 steps"


def _more(settings: Settings, key: str, step: int, schedule: Schedule) -> str:
    """Return what trains as much again as the checkpoint has seen."""
    if key == "max_steps" or not schedule.known("steps_per_epoch"):
        return f"{settings.entry('max_steps', 2 * step)} for as many steps again"
    done = -(-step // schedule.steps_per_epoch)
    return f"{settings.entry(key, done + 1)} for one more epoch"
