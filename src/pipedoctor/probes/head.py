"""The head of a model as the settings state it."""

from __future__ import annotations

from pipedoctor.fact import UNKNOWN, Cost, Split, Unavailable
from pipedoctor.facts.head import MULTI, REGRESSION, SINGLE, Head
from pipedoctor.facts.model_files import ModelFiles
from pipedoctor.facts.settings import Settings
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes.values import positive

PER_TOKEN = frozenset({"run_ner"})
"""The scripts whose head has outputs for every token."""

CASTING = frozenset({"deberta", "deberta-v2"})
"""The families whose own code judges labels by their shape."""


@probe(Head, Cost.STATIC, "settings")
def head(pipeline: Pipeline, _split: Split) -> Head:
    """Take `num_labels` and `problem_type` as they are stated."""
    settings = pipeline.fact(Settings)
    if settings.stated.get("num_labels") is None:
        raise Unavailable("num_labels is not stated")
    kind = settings.stated.get("problem_type")
    files = pipeline.optional(ModelFiles)
    return Head(
        outputs=positive(settings, "num_labels"),
        problem_type=kind if kind in {SINGLE, MULTI, REGRESSION} else UNKNOWN,
        per_token=settings.script in PER_TOKEN,
        origin=settings.where("num_labels"),
        casts=files is not None and files.config.get("model_type") in CASTING,
    )
