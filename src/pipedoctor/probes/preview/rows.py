"""The rows that are shown: the first rows and the longest, or those that somebody asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipedoctor.fact import Cost, Fact, Split, Unavailable
from pipedoctor.facts.rows import Rows
from pipedoctor.facts.samples import Samples
from pipedoctor.frameworks.data.batches import Batches, Collated, of_rows, row_of
from pipedoctor.frameworks.data.feeding import feed
from pipedoctor.frameworks.data.reading import Read
from pipedoctor.frameworks.data.source import Data
from pipedoctor.frameworks.restoring.undisturbed import undisturbed
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe

TEXT = 300
"""So many characters of a row's text are shown where its tokens can't be read."""


@dataclass(frozen=True, repr=False, eq=False)
class Chosen(Fact):
    """The batch of the rows that were asked for; not for checks."""

    doing = "Making a batch of the rows that were asked for"
    per_split = True

    batch: Collated


@dataclass(frozen=True, repr=False, eq=False)
class RawRows(Fact):
    """The rows that are looked at as the data gives them, by their indices; not for checks."""

    doing = "Reading the first rows of the data"
    per_split = True

    rows: Mapping[int, Any]
    texts: Mapping[int, str] = field(default_factory=dict)
    """The beginning of their text, where a column of the data holds it."""


@probe(Chosen, Cost.MODEL, "{data}", user_code=True)
def chosen(pipeline: Pipeline, split: Split) -> Chosen:
    """Put the rows that were asked for through the collator."""
    rows = _wished(pipeline)
    counted = pipeline.optional(Rows, split)
    total = counted.used if counted is not None else None
    if total is None:
        raise Unavailable("streaming data has no numbered rows")
    within = tuple(row for row in rows if row < total)
    if not within:
        raise Unavailable(lacking(pipeline, split))
    return Chosen(of_rows(pipeline, split, within))


@probe(RawRows, Cost.DATA, "{data}", user_code=True)
def raw_rows(pipeline: Pipeline, split: Split) -> RawRows:
    """Read the rows that are looked at as they are, before anything is dropped or collated."""
    table, samples = pipeline.optional(Data, split), pipeline.optional(Samples, split)
    data = feed(pipeline, split).data
    with undisturbed(data):
        if table is not None and table.source is not None and samples is not None:
            found = dict(zip(samples.rows, table.source.rows(samples.rows), strict=True))
            return RawRows(found, table.source.texts(samples.rows, TEXT))
        if type(data) in {dict, list, tuple} and samples is not None:
            found = {row: row_of(data, row) for row in samples.rows}
        else:
            found = dict(pipeline.fact(Read, split).kept)
    texts = {row: _text(value) for row, value in found.items()}
    return RawRows(found, {row: text for row, text in texts.items() if text})


def groups(pipeline: Pipeline, split: Split) -> tuple[Collated, ...]:
    """Return the batches that are shown, or raise what keeps them from being made."""
    if _wished(pipeline):
        return (pipeline.fact(Chosen, split).batch,)
    return pipeline.fact(Batches, split).made


def title(made: Sequence[Collated], place: int, pipeline: Pipeline, split: Split) -> str:
    """Return what a batch is; one long row is collated beside another, to see lengths differ."""
    if _wished(pipeline):
        return "the rows asked for"
    if not place:
        return "first rows"
    samples = pipeline.optional(Samples, split)
    if samples is None or not any(len(set(each)) > 1 for each in samples.lengths.values()):
        return "further rows"
    if made[place].rows[-1] in made[0].rows:
        return f"longest row, beside row {made[place].rows[-1]:,}"
    return "longest rows"


def lacking(pipeline: Pipeline, split: Split) -> str:
    """Return a sentence about rows that were asked for, and that there are none of."""
    counted = pipeline.optional(Rows, split)
    if counted is None or counted.used is None:
        return ""
    beyond = [f"{row:,}" for row in _wished(pipeline) if row >= counted.used]
    if not beyond:
        return ""
    return f"there are rows 0 to {counted.used - 1:,}, and no row {', '.join(beyond)}"


def _wished(pipeline: Pipeline) -> Sequence[int]:
    rows: Sequence[int] = pipeline.parts.get("run", {}).get("shown", ())
    return rows


def _text(row: Any) -> str:
    """Return the texts of a row, cut."""
    if not isinstance(row, Mapping):
        return ""
    return " | ".join(v[:TEXT] for v in row.values() if isinstance(v, str))[:TEXT]
