from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Unavailable, check
from pipedoctor.facts import Callbacks, Schedule, Settings
from pipedoctor.facts.arguments import version_key
from pipedoctor.units import plural

COMPARES = "4.47.0"
"""Since this release every evaluation is compared; before, only those at which a model is saved."""


@check(
    "LOS009",
    Severity.ERROR,
    stage=Stage.ARGUMENTS,
    symptoms={
        r"EarlyStoppingCallback requires metric_for_best_model": (
            'set metric_for_best_model, to "loss" for instance, and load_best_model_at_end'
        ),
        r"EarlyStoppingCallback requires IntervalStrategy of steps or epoch": (
            'set eval_strategy to "steps" or "epoch"'
        ),
    },
)
def early_stopping_never_works(
    callbacks: Callbacks, settings: Settings, schedule: Schedule | None
) -> Iterator[Finding]:
    """
    The run is to stop early, but the callback can't start, or has no chance to stop anything.

    `EarlyStoppingCallback` compares evaluations by `metric_for_best_model`. Without that name, or
    without evaluations, it raises AssertionError when training starts. And it counts the
    evaluations since the best one: with five evaluations and a patience of four, the earliest that
    it can stop the run is at its end.

    Fails:

        from datasets import Dataset
        from transformers import (
            BertConfig,
            BertForSequenceClassification,
            EarlyStoppingCallback,
            Trainer,
            TrainingArguments,
        )

        config = BertConfig(
            vocab_size=100,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
        )
        data = Dataset.from_dict({"input_ids": [[2, 5, 3]] * 8, "labels": [0, 1] * 4})
        settings = TrainingArguments("out", use_cpu=True, report_to="none", eval_strategy="epoch")
        trainer = Trainer(
            BertForSequenceClassification(config),
            settings,
            train_dataset=data,
            eval_dataset=data,
            callbacks=[EarlyStoppingCallback(early_stopping_patience=1)],
        )
        train_data = data

    Passes:

        from datasets import Dataset
        from transformers import (
            BertConfig,
            BertForSequenceClassification,
            EarlyStoppingCallback,
            Trainer,
            TrainingArguments,
        )

        config = BertConfig(
            vocab_size=100,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
        )
        data = Dataset.from_dict({"input_ids": [[2, 5, 3]] * 8, "labels": [0, 1] * 4})
        settings = TrainingArguments(
            "out",
            use_cpu=True,
            report_to="none",
            eval_strategy="epoch",
            save_strategy="epoch",
            load_best_model_at_end=True,
        )
        trainer = Trainer(
            BertForSequenceClassification(config),
            settings,
            train_dataset=data,
            eval_dataset=data,
            callbacks=[EarlyStoppingCallback(early_stopping_patience=1)],
        )
        train_data = data

    See also: <https://huggingface.co/docs/transformers/main_classes/callback>.
    """
    stopping = callbacks.early_stopping
    if stopping is None:
        return
    refusal = _refused(settings)
    if refusal is not None:
        yield refusal
        return
    if schedule is None:
        raise Unavailable("how often the run evaluates is not known")
    if version_key(settings.arguments.version) < version_key(COMPARES):
        raise Unavailable(f"releases before {COMPARES} compare only evaluations that are saved")
    chances = len(schedule.evaluations)
    if not chances or stopping.patience < chances - 1:
        return
    yield Finding(
        message=f"early_stopping_patience is {stopping.patience}, and the run evaluates "
        f"{plural(chances, 'time')}: the first evaluation has nothing to be compared with, so it can "
        "stop the run at its end at the earliest",
        where=settings.where(settings.eval_key),
        evidence={
            "patience": stopping.patience,
            "evaluations": chances,
            "total_steps": schedule.total_steps,
        },
        remedy=_cure(settings, schedule, stopping.patience),
        severity=Severity.NOTE,
    )


def _refused(settings: Settings) -> Finding | None:
    """Return the finding of a callback that doesn't let the training start."""
    if settings.word(settings.eval_key) == "no":
        key, line = settings.eval_key, settings.entry(settings.eval_name, "epoch")
        lacks = f'{key} is "no"'
    elif not settings.get("metric_for_best_model") and not settings.get("load_best_model_at_end"):
        key, line = "metric_for_best_model", settings.entry("metric_for_best_model", "loss")
        lacks = "metric_for_best_model is not set"
    else:
        return None
    return Finding(
        message=f"The run has an EarlyStoppingCallback, but {lacks}: it raises AssertionError before the first step",
        where=settings.where(key),
        evidence={"key": key, "value": settings.get(key)},
        remedy=f"set {line}",
        alternatives=("take the callback out",),
    )


def _cure(settings: Settings, schedule: Schedule, patience: int) -> str:
    """Return how often to evaluate, so that there are three times as many evaluations as patience."""
    every = schedule.total_steps // (3 * max(patience, 1))
    if every < 1:
        return f"set early_stopping_patience to at most {max(len(schedule.evaluations) - 2, 1)}"
    return (
        f"evaluate more often, with {settings.entry(settings.eval_name, 'steps')} and "
        f"{settings.entry('eval_steps', every)}, or take the callback out"
    )
