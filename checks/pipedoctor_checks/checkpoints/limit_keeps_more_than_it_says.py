from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Schedule, Settings
from pipedoctor.fix import put


@check("CKP003", Severity.NOTE, stage=Stage.ARGUMENTS)
def limit_keeps_more_than_it_says(
    settings: Settings, schedule: Schedule | None
) -> Iterator[Finding]:
    """
    `save_total_limit` is 1 and a best model is kept: two checkpoints stay, and then only the best.

    Trainer deletes neither the newest checkpoint nor the best one. With a limit of 1 both stand
    there during training, and a third while it is written. When training ends, all but the best
    are deleted, so that it can only be continued from there. This happens as soon as
    `metric_for_best_model` is set, even without `load_best_model_at_end`: then the last weights
    stay in memory, and their checkpoint, with the optimizer's state, is deleted.

    Fails:

        settings = {
            "save_total_limit": 1,
            "load_best_model_at_end": True,
            "eval_strategy": "epoch",
            "save_strategy": "epoch",
        }
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {
            "save_total_limit": 2,
            "load_best_model_at_end": True,
            "eval_strategy": "epoch",
            "save_strategy": "epoch",
        }
        environment = {"transformers": "5.23.0"}

    See also: <https://huggingface.co/docs/transformers/main_classes/trainer>.
    """
    if settings.save_total_limit != 1:
        return
    loaded = bool(settings.get("load_best_model_at_end"))
    if not loaded and not settings.get("metric_for_best_model"):
        return
    saving = settings.word("save_strategy")
    # With "best" each checkpoint is the best so far when it is written.
    if saving in {"no", "best"} or settings.word(settings.eval_key) == "no":
        return
    if schedule is not None and schedule.known("checkpoints") and len(schedule.checkpoints) < 2:
        return
    end = (
        "and the run can only be resumed from there"
        if loaded
        else "the last one too, though load_best_model_at_end is not set"
    )
    yield Finding(
        message="save_total_limit is 1, but 2 checkpoints stay during training, the newest and the "
        f"best, and 3 while one is written; at the end all but the best are deleted, {end}",
        where=settings.where("save_total_limit"),
        evidence={
            "save_total_limit": 1,
            "kept": 2,
            "while_writing": 3,
            "load_best_model_at_end": loaded,
        },
        remedy=f"set {settings.entry('save_total_limit', 2)}: as many stay, and the last is not deleted at the end",
        severity=None if loaded else Severity.WARNING,
        fix=settings.fix(put("save_total_limit", 2), safe=False),
    )
