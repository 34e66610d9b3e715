from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from pipedoctor import Finding, Severity, Stage, Train, check
from pipedoctor.facts import Fit, Labels, Settings
from pipedoctor.facts.labels import IGNORED
from pipedoctor.units import count

MOST = 10
"""The weights of more classes than these are not written out."""


@check("DAT021", Severity.NOTE, stage=Stage.DATA)
def one_class_nearly_alone(
    labels: Train[Labels],
    settings: Settings | None,
    fit: Fit | None = None,
    *,
    share: float = 0.95,
    least: int = 100,
) -> Iterator[Finding]:
    """
    Nearly all rows are of one class, so that a model which always answers it is nearly always right.

    Such data can be learned; but the accuracy says next to nothing, and a model that learns nothing
    looks good. It is a note where one class has at least `share` of at least `least` rows, and a
    warning where the best checkpoint is chosen by the accuracy: any checkpoint may be it then.

    Fails:

        train_data = {"label": [0] * 970 + [1] * 30}
        settings = {"load_best_model_at_end": True, "metric_for_best_model": "accuracy"}

    Passes:

        train_data = {"label": [0] * 700 + [1] * 300}
        settings = {"load_best_model_at_end": True, "metric_for_best_model": "accuracy"}

    See also: <https://scikit-learn.org/stable/modules/model_evaluation.html>.
    """
    if labels.partial or labels.per_token or labels.width is not None or labels.kind == "float":
        return
    counts = {value: n for value, n in labels.counts.items() if value != IGNORED}
    total = sum(counts.values())
    if len(counts) < 2 or total < least:
        return
    commonest = max(counts, key=lambda value: counts[value])
    part = counts[commonest] / total
    if part < share:
        return
    metric = settings.get("metric_for_best_model") if settings is not None else None
    grave = str(metric).removeprefix("eval_") in {"accuracy", "acc"}
    told = ", by which the best checkpoint is chosen" if grave else ""
    yield Finding(
        message=f"{count(counts[commonest])} of {count(total)} training rows ({part:.1%}) are of class "
        f"{commonest}: to answer that always has an accuracy of {part:.1%}{told}",
        where=settings.where("metric_for_best_model")
        if settings is not None and grave
        else replace(labels.where, split="train"),
        evidence={"class": commonest, "rows": counts[commonest], "of": total},
        remedy=_remedy(fit),
        alternatives=_others(fit, counts),
        severity=Severity.WARNING if grave else None,
    )


def _remedy(fit: Fit | None) -> str:
    """Return how to see what the accuracy hides."""
    if fit is None:
        return (
            'choose by the mean over classes: f1_score(labels, answers, average="macro"), and '
            "state it as metric_for_best_model"
        )
    return (
        "judge by the mean over classes beside the accuracy: "
        'sklearn.metrics.f1_score(y_val, answers, average="macro") of model.predict(x_val)'
    )


def _others(fit: Fit | None, counts: Mapping[int | float | str | bool, int]) -> tuple[str, ...]:
    """Return how to have the rare classes count for more."""
    if fit is None:
        return ("weight the loss by class: CrossEntropyLoss(weight=…)",)
    if fit.class_weight or len(counts) > MOST:
        return ()
    even = sum(counts.values()) / len(counts)
    weights = ", ".join(
        f"{value}: {even / counts[value]:.3g}" for value in sorted(counts, key=str)
    )
    return (f"weight the loss by class: fit(…, class_weight={{{weights}}})",)
