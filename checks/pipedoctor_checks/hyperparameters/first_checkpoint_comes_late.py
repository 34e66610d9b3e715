from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Schedule, Settings
from pipedoctor.facts.schedule import Marks
from pipedoctor.fix import put
from pipedoctor.units import count, plural


@check("HYP009", Severity.NOTE, stage=Stage.ARGUMENTS)
def first_checkpoint_comes_late(
    schedule: Schedule, settings: Settings, *, steps: int = 2000
) -> Iterator[Finding]:
    """
    Nothing is saved for a long time: the first checkpoint comes after thousands of steps.

    With `save_strategy="epoch"` the first checkpoint comes after the first epoch. On a large data
    set that is hours of watching an empty folder, and whatever interrupts them costs all of them.
    A fault that only shows when a checkpoint is written or an evaluation runs costs them too.

    The option `steps` is what counts as long. Its default of 2000 is four times the default of
    `save_steps`, about an hour at two seconds a step.

    Fails:

        settings = {"save_strategy": "epoch", "eval_strategy": "epoch", "per_device_train_batch_size": 8}
        train_data = range(104743)
        environment = {"transformers": "5.23.0", "gpus": 0}

    Passes:

        settings = {"save_steps": 1000, "per_device_train_batch_size": 8}
        train_data = range(104743)
        environment = {"transformers": "5.23.0", "gpus": 0}

    See also: <https://github.com/huggingface/transformers/issues/31047>.
    """
    first, total = schedule.checkpoints.first, schedule.total_steps
    if first is None or first <= steps:
        return
    wanted = max(1, steps // 2)
    edits = [put("save_strategy", "steps"), put("save_steps", wanted)]
    if settings.get("load_best_model_at_end"):  # Trainer then wants both of a kind
        edits += [put(settings.eval_name, "steps"), put("eval_steps", wanted)]
    lines = [settings.entry(edit.key, edit.value) for edit in edits]
    evaluation = _first(schedule, "evaluations")
    log = _first(schedule, "logs")
    yield Finding(
        message=f"The first checkpoint comes at step {count(first)} of {count(total)}"
        f"{_when('evaluation', evaluation)}{_when('log line', log)}",
        where=settings.where(
            "save_steps" if settings.word("save_strategy") == "steps" else "save_strategy"
        ),
        evidence={
            "first_checkpoint": first,
            "total_steps": total,
            "first_evaluation": evaluation,
            "first_log": log,
        },
        remedy=f"set {', '.join(lines)}: {plural(-(-total // wanted), 'checkpoint')}, "
        f"the first at step {count(wanted)}",
        fix=settings.fix(*edits, safe=False),
    )


def _first(schedule: Schedule, what: str) -> int | None:
    """Return the first of these steps; None where there is none, or nobody knows."""
    marks: Marks | None = getattr(schedule, what) if schedule.known(what) else None
    return None if marks is None else marks.first


def _when(what: str, step: int | None) -> str:
    return "" if step is None else f", the first {what} at {count(step)}"
