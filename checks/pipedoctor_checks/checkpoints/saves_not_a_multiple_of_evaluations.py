from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Settings
from pipedoctor.facts.settings import number
from pipedoctor.fix import put
from pipedoctor.probes import habits

CURE = "make save_steps a multiple of eval_steps, both numbers of steps or both shares"


@check(
    "CKP005",
    Severity.ERROR,
    stage=Stage.ARGUMENTS,
    symptoms={
        r"load_best_model_at_end requires the saving steps to be a (round )?multiple": CURE,
    },
)
def saves_not_a_multiple_of_evaluations(settings: Settings) -> Iterator[Finding]:
    """
    The best model is to be loaded at the end, but `save_steps` is no multiple of `eval_steps`.

    `load_best_model_at_end` can only choose among models that were saved and evaluated at the
    same step. `TrainingArguments` refuses values of which one doesn't divide the other, such as
    the default `save_steps` of 500 with an `eval_steps` of 200, and a number of steps together
    with a share. Without `eval_steps` it takes `logging_steps`.

    Fails:

        settings = {"load_best_model_at_end": True, "eval_strategy": "steps", "eval_steps": 200}
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {
            "load_best_model_at_end": True,
            "eval_strategy": "steps",
            "eval_steps": 200,
            "save_steps": 200,
        }
        environment = {"transformers": "5.23.0"}

    See also: <https://github.com/huggingface/transformers/pull/14054>.
    """
    if not settings.load_best_model_at_end:
        return
    if not settings.word(settings.eval_key) == settings.word("save_strategy") == "steps":
        return
    key = "eval_steps" if settings.eval_steps else "logging_steps"
    evaluate, save = getattr(settings, key), settings.save_steps
    if evaluate <= 0 or save <= 0:
        return  # not this fault: TrainingArguments refuses them by themselves
    problem = _refused(evaluate, save, settings.arguments.version)
    if problem is None:
        return
    yield Finding(
        message=f"load_best_model_at_end is set, but save_steps is {number(save)}"
        f"{'' if 'save_steps' in settings.stated else ', the default'}, and {key} is "
        f"{number(evaluate)}: {problem}",
        where=settings.where("save_steps" if "save_steps" in settings.stated else key),
        evidence={"save_steps": save, "eval_steps": evaluate},
        remedy=f"set {settings.entry('save_steps', evaluate)}",
        alternatives=(f"set {settings.entry('eval_steps', save)}",),
        fix=settings.fix(put("save_steps", evaluate), safe=False),
    )


def _refused(evaluate: Any, save: Any, version: str) -> str | None:
    """Return what TrainingArguments minds, by the arithmetic that it does itself."""
    if save % evaluate == 0:
        return None
    if evaluate >= 1 and save >= 1:
        return f"{number(save)} is no multiple of {number(evaluate)}"
    if evaluate >= 1 or save >= 1:
        return "a share of all steps and a number of steps need not meet"
    if (save * 1_000_000) % (evaluate * 1_000_000) == 0:
        # 0.3 is three times 0.1 but for rounding; older releases refuse that, too.
        rounding = "this version does not allow for their rounding"
        return rounding if habits.ROUNDS_SHARES.known(version) is False else None
    return f"{number(save)} is no multiple of {number(evaluate)}"
