from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Settings
from pipedoctor.fix import Edit, put


@check(
    "CKP004",
    Severity.ERROR,
    stage=Stage.ARGUMENTS,
    symptoms={
        r"load_best_model_at_end requires the save and eval(uation)? strategy to match": "set "
        "save_strategy and eval_strategy to the same value"
    },
)
def best_model_strategies_differ(settings: Settings) -> Iterator[Finding]:
    """
    The best model is to be loaded at the end, but it is saved and evaluated at different times.

    `load_best_model_at_end` needs a checkpoint of each model that was evaluated.
    `TrainingArguments` therefore refuses a `save_strategy` that differs from `eval_strategy`,
    unless it is "best". By default they do differ: checkpoints come every 500 steps, evaluations
    never.

    Fails:

        settings = {"load_best_model_at_end": True, "eval_strategy": "epoch"}
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"load_best_model_at_end": True, "eval_strategy": "epoch", "save_strategy": "epoch"}
        environment = {"transformers": "5.23.0"}

    See also: <https://github.com/huggingface/transformers/issues/12685>.
    """
    if not settings.load_best_model_at_end:
        return
    evaluated, saved = settings.word(settings.eval_key), settings.word("save_strategy")
    if saved in {"best", evaluated}:
        return
    to_save = _edits(settings, "save_strategy", evaluated)
    to_evaluate = _edits(settings, settings.eval_key, saved)
    # The one that nobody chose gives way; if both were chosen, evaluations stay as they are.
    chosen = settings.eval_key in settings.stated
    key, cures = "save_strategy", (to_save, to_evaluate)
    if evaluated == "no" or (not chosen and saved != "no"):
        key, cures = settings.eval_key, (to_evaluate, to_save)
    refusal = f"set {settings.entry('load_best_model_at_end', value=False)}"
    yield Finding(
        message=f'load_best_model_at_end is set, save_strategy is "{saved}"'
        f"{_default(settings, 'save_strategy')} and {settings.eval_key} is "
        f'"{evaluated}"{_default(settings, settings.eval_key)}; TrainingArguments wants them equal',
        where=settings.where(key if key in settings.stated else "load_best_model_at_end"),
        evidence={"save_strategy": saved, "eval_strategy": evaluated},
        remedy=_told(settings, cures[0]),
        # To do without evaluations or checkpoints is no way to a best model.
        alternatives=(refusal,)
        if "no" in {evaluated, saved}
        else (_told(settings, cures[1]), refusal),
        fix=settings.fix(*cures[0], safe=False),
    )


def _told(settings: Settings, edits: tuple[Edit, ...]) -> str:
    return "set " + ", ".join(settings.entry(edit.key, edit.value) for edit in edits)


def _edits(settings: Settings, key: str, strategy: str) -> tuple[Edit, ...]:
    """Return what gives one strategy the value of the other, at the same steps."""
    name = "save_strategy" if key == "save_strategy" else settings.eval_name
    edit = put(name, strategy)
    if strategy != "steps":
        return (edit,)
    evaluate = settings.eval_steps or settings.logging_steps
    if evaluate == settings.save_steps:
        return (edit,)
    if key == "save_strategy":
        return edit, put("save_steps", evaluate)
    return edit, put("eval_steps", settings.save_steps)


def _default(settings: Settings, key: str) -> str:
    return "" if key in settings.stated else " by default"
