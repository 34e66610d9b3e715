"""The run laid out in time, of what the other facts tell."""

from __future__ import annotations

from typing import Any

from pipedoctor.fact import Cost, Fact, Split, Unavailable, unknown
from pipedoctor.facts.checkpoint_plan import CheckpointPlan
from pipedoctor.facts.disk import Disk
from pipedoctor.facts.learning_rate import LearningRate
from pipedoctor.facts.resume import Resume
from pipedoctor.facts.rows import Rows
from pipedoctor.facts.schedule import Schedule
from pipedoctor.facts.timeline import Timeline
from pipedoctor.pipeline import Pipeline, ProbeFailed
from pipedoctor.probe import probe


@probe(Timeline, Cost.STATIC)
def timeline(pipeline: Pipeline, _split: Split) -> Timeline:
    """Put together what is known; without a schedule there is nothing to lay out."""
    schedule = _schedule(pipeline)
    rows = pipeline.optional(Rows, Split.TRAIN)
    counted = rows.used if rows is not None and rows.known("used") else None
    resume = pipeline.optional(Resume)
    return Timeline(
        schedule,
        rate=_or_why(pipeline, LearningRate),
        plan=_or_why(pipeline, CheckpointPlan),
        disk=_or_why(pipeline, Disk),
        rows=counted if counted is not None else unknown("the rows are not counted"),
        rows_from=rows.told if rows is not None else "",
        resumed=resume.step if resume is not None else 0,
    )


def _schedule(pipeline: Pipeline) -> Schedule:
    """Return the schedule; where only the rows are lacking, say what would do."""
    try:
        return pipeline.fact(Schedule)
    except Unavailable as reason:
        try:
            pipeline.fact(Rows, Split.TRAIN)
        except Unavailable as lacking:
            if lacking is reason and "train_rows" not in pipeline.parts:
                text = f"{reason}; --rows N says how many rows there are to train on"
                raise Unavailable(text) from None
        raise


def _or_why(pipeline: Pipeline, kind: type[Fact]) -> Any:
    try:
        return pipeline.fact(kind)
    except (Unavailable, ProbeFailed) as reason:
        return unknown(reason if isinstance(reason, Unavailable) else str(reason))
