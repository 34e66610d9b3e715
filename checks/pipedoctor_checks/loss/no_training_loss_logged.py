from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Schedule, Settings
from pipedoctor.fix import put
from pipedoctor.units import count


@check("LOS008", Severity.NOTE, stage=Stage.ARGUMENTS)
def no_training_loss_logged(schedule: Schedule, settings: Settings) -> Iterator[Finding]:
    """
    The run ends before its first log line, so the training loss is never seen.

    Trainer logs every `logging_steps` steps, 500 by default. On a small data set there are fewer:
    the table in a notebook says "No log", and whether the loss ever fell cannot be told. Only the
    mean over the whole run is printed, at the end.

    Fails:

        settings = {"per_device_train_batch_size": 32}
        train_data = range(3200)
        environment = {"transformers": "5.23.0", "gpus": 0}

    Passes:

        settings = {"per_device_train_batch_size": 32, "logging_steps": 15}
        train_data = range(3200)
        environment = {"transformers": "5.23.0", "gpus": 0}

    See also: <https://huggingface.co/docs/transformers/main_classes/trainer>.
    """
    if settings.word("logging_strategy") != "steps" or settings.logging_first_step:
        return
    if schedule.total_steps <= 0 or schedule.logs.first is not None:
        return
    total = schedule.total_steps
    # Twenty points make a curve.
    often = max(1, total // 20)
    yield Finding(
        message=f"A log line comes every {count(settings.logging_steps)} steps and the run has "
        f"{count(total)}: no training loss is logged",
        where=settings.where("logging_steps"),
        evidence={"logging_steps": settings.logging_steps, "total_steps": total},
        remedy=f"set {settings.entry('logging_steps', often)}",
        alternatives=(f"set {settings.entry('logging_strategy', 'epoch')}",),
        fix=settings.fix(put("logging_steps", often), safe=False)
        if not _also_evaluates(settings)
        else None,
    )


def _also_evaluates(settings: Settings) -> bool:
    """Whether `logging_steps` says when to evaluate as well, for want of `eval_steps`."""
    return settings.get(settings.eval_key) != "no" and not settings.get("eval_steps")
