from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Evaluation, Schedule, Settings
from pipedoctor.facts.evaluation import PREFIX
from pipedoctor.facts.labels import listed
from pipedoctor.fix import put
from pipedoctor_checks.evaluation._best import best_metric, first_evaluation
from pipedoctor_checks.evaluation._names import ALWAYS

CURE = "set metric_for_best_model to a name that compute_metrics returns"


@check(
    "EVA006",
    Severity.ERROR,
    stage=Stage.EVALUATION,
    symptoms={
        r"metric_for_best_model` training argument is set to '.*', which is not found": CURE,
        r"KeyError: ['\"]eval_\w+['\"]": CURE,
        r"metric_for_best_model` must be provided when using": "set metric_for_best_model, to "
        '"loss" for instance',
    },
)
def best_metric_never_computed(
    settings: Settings, evaluation: Evaluation | None, schedule: Schedule | None
) -> Iterator[Finding]:
    """
    The best model is chosen by a metric that no evaluation gives.

    Trainer looks `metric_for_best_model` up among the figures of each evaluation, with `eval_`
    before its name, and of several sets the name of each as well: `eval_news_f1`. If
    `compute_metrics` returns it under another name, or there is no such
    function, the run stops with `KeyError`, but only at its first evaluation: after 500 steps,
    or a whole epoch. With `save_strategy="best"` and no metric named, Trainer doesn't start.

    Fails:

        settings = {
            "eval_strategy": "epoch",
            "save_strategy": "epoch",
            "load_best_model_at_end": True,
            "metric_for_best_model": "f1",
        }
        eval_data = {"text": ["good", "bad"], "label": [1, 0]}
        metrics = ["accuracy"]
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {
            "eval_strategy": "epoch",
            "save_strategy": "epoch",
            "load_best_model_at_end": True,
            "metric_for_best_model": "accuracy",
        }
        eval_data = {"text": ["good", "bad"], "label": [1, 0]}
        metrics = ["accuracy"]
        environment = {"transformers": "5.23.0"}

    See also: <https://github.com/huggingface/transformers/issues/40217>.
    """
    metric = best_metric(settings)
    if metric is None:
        if settings.word("save_strategy") == "best":
            yield _unnamed(settings)
        return
    if settings.word(settings.eval_key) == "no" or evaluation is None:
        return
    always = {*evaluation.losses} if evaluation.sets else {*ALWAYS, "eval_loss"}
    if metric in always or (evaluation.known("has_labels") and not evaluation.has_labels):
        return  # without labels there is no metric at all: evaluation-without-loss
    given = sorted({*evaluation.metrics, *evaluation.losses})
    if metric in given:
        return
    close = _closest(metric, given).removeprefix(PREFIX)
    yield Finding(
        message=f"{_stated(settings, metric)}, but evaluations give {listed(given)}; the "
        f"first{first_evaluation(schedule)} stops the run with KeyError",
        where=settings.where("metric_for_best_model"),
        evidence={"metric": metric, "given": given},
        remedy=f"set {settings.entry('metric_for_best_model', close)}",
        alternatives=()
        if evaluation.sets
        else (f'return "{metric.removeprefix(PREFIX)}" from compute_metrics',),
        fix=settings.fix(put("metric_for_best_model", close), safe=False),
    )


def _stated(settings: Settings, metric: str) -> str:
    named = settings.get("metric_for_best_model")
    return (
        f'metric_for_best_model is "{named}"' if named else f"The best model is chosen by {metric}"
    )


def _unnamed(settings: Settings) -> Finding:
    return Finding(
        message='save_strategy is "best", but no metric_for_best_model says by what; Trainer raises '
        "ValueError before it starts",
        where=settings.where("save_strategy"),
        evidence={"save_strategy": "best", "metric_for_best_model": None},
        remedy=f"set {settings.entry('metric_for_best_model', 'loss')}",
        fix=settings.fix(put("metric_for_best_model", "loss"), safe=False),
    )


def _closest(metric: str, given: list[str]) -> str:
    """Return the given name that was probably meant."""
    from difflib import get_close_matches

    by_lower = {name.lower(): name for name in given}
    names = get_close_matches(metric.lower(), list(by_lower), 1, 0.7)
    if names:
        return by_lower[names[0]]
    return next((name for name in given if name != "eval_loss"), "eval_loss")
