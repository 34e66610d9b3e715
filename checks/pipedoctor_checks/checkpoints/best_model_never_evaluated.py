from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Schedule, Settings
from pipedoctor.fix import put
from pipedoctor.units import count


@check("CKP021", Severity.ERROR, stage=Stage.ARGUMENTS)
def best_model_never_evaluated(settings: Settings, schedule: Schedule | None) -> Iterator[Finding]:
    """
    The best model is to be saved or loaded, but nothing is evaluated, so that there is no best.

    With `save_strategy="best"` a checkpoint is written when an evaluation gives a better score
    than all before. `eval_strategy` is "no" by default: the run goes through to its end, saves
    nothing, and says nothing. `load_best_model_at_end` without evaluations leaves the last
    weights, just as quietly. The same happens if `eval_delay` is longer than the training.

    Fails:

        settings = {"save_strategy": "best", "metric_for_best_model": "accuracy"}
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {
            "save_strategy": "best",
            "metric_for_best_model": "accuracy",
            "eval_strategy": "epoch",
        }
        environment = {"transformers": "5.23.0"}

    See also: <https://huggingface.co/docs/transformers/main_classes/trainer>.
    """
    saving = settings.word("save_strategy")
    loading = bool(settings.load_best_model_at_end)
    if saving != "best" and not loading:
        return
    key = settings.eval_key
    evaluating = settings.word(key)
    if evaluating == "no":
        if saving not in {"best", "no"}:
            return  # TrainingArguments refuses that: best-model-strategies-differ
        reason = f'{key} is "no"{"" if key in settings.stated else " by default"}'
        where, change = settings.where(key), put(settings.eval_name, "epoch")
        if key not in settings.stated:
            where = settings.where(
                "save_strategy" if saving == "best" else "load_best_model_at_end"
            )
    else:
        delay = settings.get("eval_delay") or 0
        if schedule is None or not delay or schedule.evaluations.first is not None:
            return
        reason = f"eval_delay is {delay:g} and the run has {count(schedule.total_steps)} steps"
        where, change = settings.where("eval_delay"), put("eval_delay", 0)
    changes = (change, put("save_strategy", "epoch")) if saving == "no" else (change,)
    consequence = (
        "no checkpoint is ever written"
        if saving == "best"
        else "the last weights are kept as the best"
    )
    yield Finding(
        message=f"{_what(saving)} is set but {reason}: no evaluation, so {consequence}",
        where=where,
        evidence={
            "save_strategy": saving,
            "load_best_model_at_end": loading,
            "eval_strategy": evaluating,
        },
        remedy="set " + ", ".join(settings.entry(edit.key, edit.value) for edit in changes),
        severity=None if saving == "best" else Severity.WARNING,
        fix=settings.fix(*changes, safe=False),
    )


def _what(saving: str) -> str:
    return 'save_strategy "best"' if saving == "best" else "load_best_model_at_end"
