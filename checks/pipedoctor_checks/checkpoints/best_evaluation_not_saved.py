from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Schedule, Settings
from pipedoctor.fix import Edit, put
from pipedoctor.units import count


@check("CKP022", Severity.WARNING, stage=Stage.ARGUMENTS)
def best_evaluation_not_saved(schedule: Schedule, settings: Settings) -> Iterator[Finding]:
    """
    The best model is to be loaded at the end, but most models that are evaluated are not saved.

    Since transformers 4.47 the best model is the best of all evaluations, and it is loaded if a
    checkpoint of that very step exists. With `save_steps` five times `eval_steps`, four of five
    evaluations have none. If the best is among them, Trainer loads the best of before, if that
    was saved, or keeps the last weights, and says nothing. Shares of all steps can miss each
    other as well: a tenth and three tenths of 101 steps are 11 and 31 steps.

    Fails:

        settings = {
            "load_best_model_at_end": True,
            "eval_strategy": "steps",
            "eval_steps": 100,
            "save_steps": 500,
            "max_steps": 5000,
        }
        train_data = range(104743)
        environment = {"transformers": "5.23.0", "gpus": 0}

    Passes:

        settings = {
            "load_best_model_at_end": True,
            "eval_strategy": "steps",
            "eval_steps": 500,
            "save_steps": 500,
            "max_steps": 5000,
        }
        train_data = range(104743)
        environment = {"transformers": "5.23.0", "gpus": 0}

    See also: <https://github.com/huggingface/transformers/pull/31817>.
    """
    declared = settings.arguments.fields.get("save_strategy")
    if declared is None or "SaveStrategy" not in declared.type:
        return  # before 4.47, only models that were saved were compared
    if not settings.load_best_model_at_end:
        return
    if not settings.word(settings.eval_key) == settings.word("save_strategy") == "steps":
        return
    evaluations, saves = schedule.evaluations, schedule.checkpoints
    kept = sum(step in saves for step in evaluations)
    if kept == len(evaluations):
        return
    key = "eval_steps" if settings.get("eval_steps") else "logging_steps"
    yield Finding(
        message=f"Of {count(len(evaluations))} evaluations, one every {count(evaluations.every)} steps, "
        f"{count(kept)} {'is' if kept == 1 else 'are'} saved, one every {count(saves.every)}: if the "
        "best is another one, load_best_model_at_end loads an earlier model or keeps the last",
        where=settings.where("save_steps" if "save_steps" in settings.stated else key),
        evidence={
            "evaluations": len(evaluations),
            "saved": kept,
            "eval_every": evaluations.every,
            "save_every": saves.every,
        },
        remedy=f"set {settings.entry('save_steps', evaluations.every)}{_limit(settings)}",
        alternatives=(f"set {settings.entry('eval_steps', saves.every)}",),
        fix=settings.fix(put("save_steps", evaluations.every), *_limited(settings), safe=False),
    )


def _limit(settings: Settings) -> str:
    """Return what keeps the additional checkpoints from filling the disk."""
    limit = [settings.entry(edit.key, edit.value) for edit in _limited(settings)]
    return f" and {limit[0]}, which keeps the newest and the best" if limit else ""


def _limited(settings: Settings) -> tuple[Edit, ...]:
    return () if settings.get("save_total_limit") else (put("save_total_limit", 2),)
