from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Eval, Finding, Severity, Stage, Unavailable, check
from pipedoctor.facts import Batch, Collator, Columns, Rehearsal, Schedule, Settings
from pipedoctor_checks.evaluation._best import best_metric, first_evaluation
from pipedoctor_checks.evaluation._names import ALWAYS

RENAMED = frozenset({"label", "label_ids"})
"""Columns that the collators of transformers hand on as `labels`."""

CURE = "give the evaluation data labels, and set label_names to the names under which they reach the model"


@check(
    "EVA005",
    Severity.ERROR,
    stage=Stage.EVALUATION,
    symptoms={
        r"KeyError: ['\"]eval_loss['\"]": CURE,
        r"metric_for_best_model` training argument is set to 'eval_loss', which is not found": CURE,
    },
)
def evaluation_without_loss(  # noqa: PLR0913, PLR0917 - each is a fact: the signature declares them
    settings: Settings,
    columns: Eval[Columns],
    batch: Eval[Batch] | None,
    collator: Collator | None,
    schedule: Schedule | None,
    rehearsal: Rehearsal | None,
) -> Iterator[Finding]:
    """
    The evaluation has no labels that Trainer can see, so it gives neither a loss nor a metric.

    Trainer computes a loss only if every name in `label_names` is in the batch. If the data has
    no labels, or `label_names` holds the name of the column instead of what the collator makes of
    it (`labels`), the evaluation yields nothing but run times. The same happens to a model whose
    `forward` takes `**inputs`: Trainer looks for the names of labels in its signature. A run that chooses the best model
    by them dies in its first evaluation, with `KeyError: 'eval_loss'` or a longer text to the
    same effect.

    Fails:

        settings = {
            "eval_strategy": "epoch",
            "save_strategy": "epoch",
            "load_best_model_at_end": True,
        }
        eval_data = {"text": ["good", "bad"]}
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {
            "eval_strategy": "epoch",
            "save_strategy": "epoch",
            "load_best_model_at_end": True,
        }
        eval_data = {"text": ["good", "bad"], "label": [1, 0]}
        environment = {"transformers": "5.23.0"}

    See also: <https://github.com/huggingface/transformers/issues/19957>.
    """
    if settings.word(settings.eval_key) == "no":
        return
    if rehearsal is not None and rehearsal.has_labels:
        return
    if rehearsal is not None and rehearsal.unproven:
        raise Unavailable("the trainer has an evaluation of its own, which may need no labels")
    reason = _unseen(settings, batch, rehearsal) or _no_labels(settings, columns, batch, collator)
    if reason is None:
        return
    metric = best_metric(settings)
    needed = metric is not None and metric not in ALWAYS
    consequence = (
        f"the first evaluation{first_evaluation(schedule)} gives no {metric} to choose the best "
        "model by, and the run stops with KeyError"
        if needed
        else "evaluations give run times only, no loss and no metric"
    )
    names = settings.get("label_names")
    unseen = _unseen(settings, batch, rehearsal) is not None
    yield Finding(
        message=f"{reason}: {consequence}",
        where=settings.where("label_names")
        if names is not None
        else replace(columns.where, split="eval"),
        evidence={"label_names": names, "columns": list(columns.types), "metric": metric},
        remedy=_remedy(settings, columns, batch, unseen=unseen),
        severity=None if needed else Severity.WARNING,
    )


def _unseen(settings: Settings, batch: Batch | None, rehearsal: Rehearsal | None) -> str | None:
    """Return why Trainer does not see labels that are in the batch, where it was tried."""
    if rehearsal is None or batch is None or settings.get("label_names") is not None:
        return None
    held = [name for name in batch.arrays if _is_label(name)]
    if rehearsal.label_names or not held:
        return None
    return (
        f'The batch has {", ".join(held)}, but no argument of the model\'s forward has "label" in '
        "its name, by which Trainer would find them"
    )


def _remedy(settings: Settings, columns: Columns, batch: Batch | None, *, unseen: bool) -> str:
    if unseen and batch is not None:
        held = [name for name in batch.arrays if _is_label(name)]
        return f"set {settings.entry('label_names', held)}"
    if settings.get("label_names") is not None:
        return f"set {settings.entry('label_names', ['labels'])}, or delete the key"
    lost = [name for name in columns.types if _is_label(name)]
    if batch is not None and lost:
        return f"have the collator put {lost[0]} into the batch"
    refusal = settings.entry(settings.eval_name, "no")
    if settings.get("load_best_model_at_end"):  # which needs evaluations
        refusal += f" and {settings.entry('load_best_model_at_end', False)}"
    return f"evaluate on data with labels, or set {refusal}"


def _no_labels(
    settings: Settings, columns: Columns, batch: Batch | None, collator: Collator | None
) -> str | None:
    """Return why Trainer sees no labels; None if it does."""
    names = settings.get("label_names")
    held = list(columns.types if batch is None else batch.arrays)
    if names is None:
        if any(_is_label(name) for name in held):
            return None
        if batch is None and collator is not None and collator.makes_labels:
            return None
        lost = [name for name in columns.types if _is_label(name)]
        if batch is not None and lost:
            return (
                f"The evaluation data has {lost[0]}, and its batches hold {', '.join(held)} only"
            )
        return f"The evaluation data has no labels, only {', '.join(held)}"
    if not names:
        return "label_names is empty"
    if batch is not None:
        missing = [name for name in names if name not in held]
        return f'label_names has "{missing[0]}", the batch {", ".join(held)}' if missing else None
    wrong = RENAMED.intersection(names)
    if wrong and (settings.script is not None or (collator is not None and collator.renames)):
        return f'label_names has "{min(wrong)}", which the collator turns into "labels"'
    raise Unavailable("what the collator makes of the labels is not known")


def _is_label(name: str) -> bool:
    """Whether a column is one that models take labels from."""
    return "label" in name or name in {"start_positions", "end_positions"}
