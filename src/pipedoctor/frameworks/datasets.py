"""
What data of the package `datasets` tells: its columns, its labels, a few rows to look at.

Everything that is said of all rows is computed by Arrow over whole columns; Python looks at the
rows of one batch and at the two longest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipedoctor.fact import UNKNOWN, Cost, Split, Unavailable
from pipedoctor.facts.columns import Columns
from pipedoctor.facts.labels import Labels
from pipedoctor.facts.model import Model
from pipedoctor.facts.samples import Samples
from pipedoctor.finding import Location
from pipedoctor.frameworks import arrow
from pipedoctor.frameworks.source import Data, Source, source
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes.feeding import TEXT, batch_size, filtered, label_columns

LONGEST = 2
"""How many of the longest rows are looked at: two, since it takes two to differ in length."""

WHOLE_ROWS = ("ForSequenceClassification", "ForMultipleChoice")
"""How the names of models end that have one answer for each row."""


@probe(Data, Cost.DATA, "{data}", user_code=True)
def data(pipeline: Pipeline, split: Split) -> Data:
    """Load the data."""
    import datasets

    from pipedoctor.frameworks.loading.prepared import Prepared

    part = pipeline.data(split)
    if isinstance(part, Prepared):
        return Data(Source(part.raw, part))
    if isinstance(part, datasets.Dataset):
        return Data(Source(part))
    if isinstance(part, datasets.IterableDataset):
        return Data(None, stream=part)
    raise Unavailable(f"{split.value}_data is a {type(part).__name__}, not one table of rows")


@probe(Columns, Cost.DATA, "{data}", user_code=True)
def columns(pipeline: Pipeline, split: Split) -> Columns:
    """Name the columns that the trainer gets, and those that the model accepts."""
    found = pipeline.fact(Data, split)
    model = pipeline.optional(Model)
    return Columns(
        types=_types(found),
        accepted=model.accepts if model is not None and model.known("accepts") else UNKNOWN,
        filtered=filtered(pipeline),
        where=Location(file=found.source.file if found.source else None, split=split.value),
    )


@probe(Labels, Cost.DATA, "{data}")
def labels(pipeline: Pipeline, split: Split) -> Labels:
    """Count the labels of all rows."""
    from pipedoctor.frameworks.counting import count

    found = source(pipeline, split)
    name = found.label(label_columns(pipeline))
    tally = count(found.labels(name), Labels.MOST_DISTINCT)
    per_token = tally.lists and _per_token(pipeline, found, name)
    shown = sorted({row for some in tally.examples.values() for row in some})
    names = getattr(found.label_feature(name), "names", None) or ()
    return Labels(
        column=name,
        kind=tally.kind,
        rows=tally.rows,
        counts=tally.counts,
        distinct=tally.distinct,
        missing=tally.missing,
        width=tally.width if tally.lists and not per_token else None,
        per_token=per_token,
        minimum=tally.minimum,
        maximum=tally.maximum,
        examples=tally.examples,
        texts=found.texts(shown, TEXT),
        names=dict(enumerate(names)),
        where=Location(file=found.file, column=name, split=split.value),
    )


@probe(Samples, Cost.DATA, "{data}", user_code=True)
def samples(pipeline: Pipeline, split: Split) -> Samples:
    """Look at the first batch and at the two longest rows, as they go into the collator."""
    found = source(pipeline, split)
    first = range(min(len(found), batch_size(pipeline, split)))
    longest = arrow.longest(found.raw, found.measures_length(), LONGEST)
    indices = (*first, *(row for row in longest if row not in first))
    columns = pipeline.optional(Columns, split)
    names = _reaching(columns) if columns is not None else tuple(found.types())
    return described(indices, found.rows(indices), names)


def described(
    indices: tuple[int, ...], looked_at: Sequence[Mapping[str, Any]], names: tuple[str, ...]
) -> Samples:
    """Return what there is to say of these rows: the lengths of sequences, and what lacks."""
    lengths: dict[str, tuple[int, ...]] = {}
    missing: dict[str, tuple[int, ...]] = {}
    for name in names:
        values = [row.get(name) for row in looked_at]
        lacking = tuple(i for i, v in zip(indices, values, strict=True) if v is None)
        if lacking:
            missing[name] = lacking
        measured = [_length(value) for value in values]
        if any(length is not None for length in measured):
            lengths[name] = tuple(length or 0 for length in measured)
    return Samples(indices, names, lengths, missing)


def _length(value: Any) -> int | None:
    """Return the length of a list or an array, None of anything else, a text for instance."""
    shape = getattr(value, "shape", None)
    if shape is not None:
        return int(shape[0]) if len(shape) else None
    return len(value) if isinstance(value, (list, tuple)) else None


def _reaching(columns: Columns) -> tuple[str, ...]:
    try:
        return columns.kept
    except Unavailable:
        return tuple(columns.types)


def _types(found: Data) -> Mapping[str, str]:
    if found.source is not None:
        return found.source.types()
    features = found.stream.features
    if features is None:
        raise Unavailable("the columns of streaming data are known only when it is read")
    return {field.name: arrow.word(field.type) for field in features.arrow_schema}


def _per_token(pipeline: Pipeline, found: Source, name: str) -> bool:
    """
    Whether lists of labels belong to tokens: they are as long as the row's tokens or words.

    A model that has one answer for a row settles it, where several labels a row happen to be as
    many as there are tokens.
    """
    model = pipeline.optional(Model)
    if model is not None and model.name.endswith(WHOLE_ROWS):
        return False
    if found.prepared is not None and found.prepared.label is not None:
        return found.prepared.label.per_token
    table = found.raw
    for other in ("input_ids", "tokens", "words"):
        if other in table.column_names and arrow.is_list(table.data.column(other).type):
            ours, theirs = arrow.lengths(table, (name,)), arrow.lengths(table, (other,))
            return bool((ours == theirs).all())
    return False
