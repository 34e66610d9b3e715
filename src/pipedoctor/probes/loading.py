"""Which call loads a checkpoint here."""

from __future__ import annotations

from pipedoctor.checkpoints import loaders
from pipedoctor.fact import Cost, Split
from pipedoctor.facts.checkpoint import Checkpoint
from pipedoctor.facts.environment import Environment
from pipedoctor.facts.loading import Loading
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe


@probe(Loading, Cost.FILES, "files")
def loading(pipeline: Pipeline, _split: Split) -> Loading:
    """Choose by the format, the suffix and the versions that are installed."""
    checkpoint, environment = pipeline.fact(Checkpoint), pipeline.fact(Environment)
    return Loading(*loaders.ways(checkpoint, environment.versions))
