from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Resume, Settings
from pipedoctor.facts.settings import number as shown
from pipedoctor.probes.values import number, positive

ROUNDING = 1e-6
"""What is logged was computed in double precision from the rate that was stated."""


@check("CKP010", Severity.WARNING, stage=Stage.CHECKPOINT)
def argument_ignored_on_resume(settings: Settings, resume: Resume) -> Iterator[Finding]:
    """
    The run resumes from a checkpoint with another learning rate or batch size than it was made with.

    The optimizer's state holds the learning rate, and what is restored wins: a lower one that was
    stated since is never used. With another batch size Trainer skips as many *batches* as were
    trained, so that rows are seen twice, or left out, and the number of steps of the schedule
    changes. Nothing of it is an error; the log has one line of warning for the batch size.

    Fails:

        settings = {"resume_from_checkpoint": "out/checkpoint-500", "learning_rate": 1e-5}
        files = {
            "checkpoint": {
                "global_step": 500,
                "max_steps": 3000,
                "log_history": [{"step": 500, "learning_rate": 4.5e-5}],
            }
        }
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"resume_from_checkpoint": "out/checkpoint-500", "learning_rate": 5e-5}
        files = {
            "checkpoint": {
                "global_step": 500,
                "max_steps": 3000,
                "log_history": [{"step": 500, "learning_rate": 4.5e-5}],
            }
        }
        environment = {"transformers": "5.23.0"}

    See also: <https://github.com/huggingface/transformers/issues/34053>.
    """
    if resume.known("learning_rate"):
        rate, before = number(settings, "learning_rate"), resume.learning_rate
        if 0 < rate < before * (1 - ROUNDING):
            yield Finding(
                message=f"learning_rate is {shown(rate)}, but the checkpoint of step {resume.step} "
                f"was trained with at least {shown(before)}; the optimizer's state is restored, "
                "and the rate with it",
                where=settings.where("learning_rate"),
                evidence={"learning_rate": rate, "checkpoint": before, "step": resume.step},
                remedy="to train on with another rate, load the checkpoint as the model and start "
                "a new run in another output_dir",
            )
    if resume.known("batch_size"):
        batch, before = positive(settings, "per_device_train_batch_size"), resume.batch_size
        if batch != before and not settings.get("auto_find_batch_size"):
            yield Finding(
                message=f"per_device_train_batch_size is {batch} and was {before} up to step "
                f"{resume.step}; {resume.step} batches of {batch} rows are skipped, though "
                f"{resume.step} of {before} were trained",
                where=settings.where("per_device_train_batch_size"),
                evidence={"batch_size": batch, "checkpoint": before, "step": resume.step},
                remedy=f"set {settings.entry('per_device_train_batch_size', before)}",
            )
