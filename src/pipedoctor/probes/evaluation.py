"""What an evaluation gives, as far as it can be told without running one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipedoctor.fact import Cost, Split, Unavailable, unknown
from pipedoctor.facts.evaluation import Evaluation, prefixed
from pipedoctor.facts.settings import Settings
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe


@probe(Evaluation, Cost.STATIC)
def evaluation(pipeline: Pipeline, _split: Split) -> Evaluation:
    """Tell whether there is evaluation data, and the metrics where their names were given."""
    return Evaluation(
        has_data=_has_data(pipeline),
        metrics=_metrics(pipeline),
        rehearsed=unknown("there is no metrics function to rehearse"),
        sets=sets(pipeline),
    )


def sets(pipeline: Pipeline) -> tuple[str, ...]:
    """Return the names of a trainer's sets of evaluation data; empty if there is only one."""
    trainer = pipeline.part("trainer") if "trainer" in pipeline.parts else None
    data = getattr(trainer, "eval_dataset", None)
    several = isinstance(data, Mapping) and hasattr(trainer, "evaluate")
    return tuple(str(name) for name in data) if several and isinstance(data, Mapping) else ()


def _has_data(pipeline: Pipeline) -> Any:
    files = pipeline.parts.get("files", {})
    files = files if isinstance(files, Mapping) else {}
    if "eval_data" in pipeline.parts or files.get("eval") is not None:
        return True
    if "train_data" in pipeline.parts or files.get("train") is not None:
        return False  # the data of this run is known, and there is none to evaluate on
    return unknown("nothing is known of the data")


def _metrics(pipeline: Pipeline) -> Any:
    settings = pipeline.optional(Settings)
    if settings is not None and settings.get("prediction_loss_only"):
        return ()
    if "metrics" not in pipeline.parts:
        trainer = pipeline.part("trainer") if "trainer" in pipeline.parts else None
        if trainer is not None and getattr(trainer, "compute_metrics", trainer) is None:
            return ()
        return unknown("no metrics were given")
    names = pipeline.part("metrics")
    plain = isinstance(names, (list, tuple, set, frozenset, dict))
    if not plain or not all(isinstance(name, str) for name in names):
        # A function: only calling it tells, and some dearer probe may know how to.
        if any(p.of(Evaluation) and p.cost > Cost.STATIC for p in pipeline.probes):
            raise Unavailable("the metrics function must be called to know what it gives")
        return unknown("the metrics function must be called to know what it gives")
    ordered = sorted(names) if isinstance(names, (set, frozenset)) else names
    return tuple(prefixed(name) for name in ordered)
