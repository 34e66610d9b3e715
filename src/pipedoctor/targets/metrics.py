"""The figures that each example script computes when it evaluates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipedoctor.targets.sample import Sample

GLUE = {
    "cola": ("matthews_correlation",),
    "mnli": ("accuracy",),
    "mrpc": ("accuracy", "f1", "combined_score"),
    "qnli": ("accuracy",),
    "qqp": ("accuracy", "f1", "combined_score"),
    "rte": ("accuracy",),
    "sst2": ("accuracy",),
    "stsb": ("pearson", "spearmanr", "combined_score"),
    "wnli": ("accuracy",),
}
"""The tasks that run_glue knows by name, with the metrics that it computes for each."""


ONE_FIGURE = frozenset({"accuracy", "f1", "precision", "recall", "mse", "matthews_correlation"})
"""Metrics that give one figure, under their own name; what others give is not known here."""

BY_LABELS = {"int": ("accuracy",), "text": ("accuracy",), "float": ("mse",), "list": ("f1",)}
"""What run_glue and run_classification choose for a type of label where no metric is stated."""


def names(script: str, stated: Mapping[str, Any], sample: Sample) -> tuple[str, ...] | None:
    """Return the names of a script's metrics, without the prefix `eval_`; None if not known."""
    if script == "run_glue":
        task = stated.get("task_name")
        return _of_labels(stated, sample) if task is None else GLUE.get(str(task).lower())
    if script == "run_classification":
        return _of_classification(stated, sample)
    if script == "run_ner" and not stated.get("return_entity_level_metrics"):
        return ("precision", "recall", "f1", "accuracy")
    if script == "run_qa" and not stated.get("version_2_with_negative"):
        return ("exact_match", "f1")
    if script in {"run_xnli", "run_clm", "run_mlm", "run_swag"}:
        return ("accuracy",)
    return None


def _of_classification(stated: Mapping[str, Any], sample: Sample) -> tuple[str, ...] | None:
    name = stated.get("metric_name")
    if name is not None:
        return (str(name),) if str(name) in ONE_FIGURE else None
    if stated.get("do_regression"):
        return ("mse",)
    found = _of_labels(stated, sample)
    return ("accuracy",) if found == ("mse",) and stated.get("do_regression") is False else found


def _of_labels(stated: Mapping[str, Any], sample: Sample) -> tuple[str, ...] | None:
    if stated.get("dataset_name") is not None:
        return None  # the type of its labels is only known once it is loaded
    column = stated.get("label_column_name") or "label"
    kind = sample.kind(column) if isinstance(column, str) else None
    return None if kind is None else BY_LABELS[kind]
