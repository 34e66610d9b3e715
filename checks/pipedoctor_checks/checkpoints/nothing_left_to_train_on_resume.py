from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Resume, Schedule, Settings
from pipedoctor.units import count


@check("CKP020", Severity.ERROR, stage=Stage.CHECKPOINT)
def nothing_left_to_train_on_resume(
    resume: Resume, schedule: Schedule, settings: Settings
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

    Passes:

        settings = {"num_train_epochs": 5, "per_device_train_batch_size": 8}
        train_data = range(1600)
        call = {"resume_from_checkpoint": "out/checkpoint-600"}
        files = {"checkpoint": {"global_step": 600, "max_steps": 600}}
        environment = {"transformers": "5.23.0", "gpus": 0}

    See also: <https://github.com/huggingface/transformers/issues/10290>.
    """
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
