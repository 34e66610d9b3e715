"""
What data of the package `datasets` tells: its columns, its labels, a few rows to look at.

Everything that is said of all rows is computed by Arrow over whole columns; Python looks at the
rows of one batch and at the two longest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pipedoctor.capture import sites
from pipedoctor.fact import UNKNOWN, Cost, Split, Unavailable
from pipedoctor.facts.columns import Columns
from pipedoctor.facts.labels import Labels
from pipedoctor.facts.model import Model
from pipedoctor.facts.samples import Samples
from pipedoctor.facts.transform import Transform
from pipedoctor.finding import Location
from pipedoctor.frameworks.data import arrow, transforms
from pipedoctor.frameworks.data.answers import answers
from pipedoctor.frameworks.data.duplicates import duplicates, numbers
from pipedoctor.frameworks.data.features import features
from pipedoctor.frameworks.data.feeding import accepted, drops, feed
from pipedoctor.frameworks.data.label_order import label_order
from pipedoctor.frameworks.data.label_tokens import collated_label_tokens, label_tokens
from pipedoctor.frameworks.data.lengths import lengths
from pipedoctor.frameworks.data.reading import Read
from pipedoctor.frameworks.data.recoding import recoded
from pipedoctor.frameworks.data.record import described
from pipedoctor.frameworks.data.source import Data, Source, source
from pipedoctor.frameworks.data.token_rows import token_rows
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes.feeding import TEXT, batch_size, label_columns
from pipedoctor.probes.user_data import count_labels, look_at

__all__ = [
    "answers",
    "collated_label_tokens",
    "duplicates",
    "features",
    "label_order",
    "label_tokens",
    "lengths",
    "numbers",
    "recoded",
    "token_rows",
]
"""Probes that are defined elsewhere."""

LONGEST = 2
"""How many of the longest rows are looked at: two, since it takes two to differ in length."""

WHOLE_ROWS = ("ForSequenceClassification", "ForMultipleChoice")
"""How the names of models end that have one answer for each row."""


@probe(Data, Cost.DATA, "{data}", user_code=True)
def data(pipeline: Pipeline, split: Split) -> Data:
    """Load the data."""
    import datasets

    from pipedoctor.frameworks.loading.prepared import Prepared

    part = feed(pipeline, split).data
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
    known = model is not None and model.known("accepts")
    return Columns(
        types=_types(found),
        accepted=accepted(pipeline) if known else UNKNOWN,
        filtered=drops(pipeline, split),
        where=_where(pipeline, split, found.source),
        transform=None if found.source is None else transforms.name(found.source),
    )


@probe(Read, Cost.DATA, "{data}", user_code=True)
def transformed(pipeline: Pipeline, split: Split) -> Read:
    """Read rows through the transform that the data has, if it has one."""
    return transforms.read(pipeline, split, source(pipeline, split))


@probe(Transform, Cost.DATA, "{data}", user_code=True)
def transform(pipeline: Pipeline, split: Split) -> Transform:
    """Try the transform on a row without the columns that Trainer drops."""
    return transforms.tried(pipeline, split, source(pipeline, split))


@probe(Labels, Cost.DATA, "{data}")
def labels(pipeline: Pipeline, split: Split) -> Labels:
    """Count the labels: as they are stored, unless a transform makes others of them."""
    found = source(pipeline, split)
    if found.transform is None:
        return _stored(pipeline, split, found)
    read = pipeline.fact(Read, split)
    told = count_labels(read, label_columns(pipeline), split)
    if told.partial and transforms.keeps_labels(read, found, told.column):
        return _stored(pipeline, split, found)
    return told


def _stored(pipeline: Pipeline, split: Split, found: Source) -> Labels:
    """Count the labels of all rows as they are stored."""
    from pipedoctor.frameworks.data.counting import count

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
        hot={} if per_token else tally.hot,
        texts=found.texts(shown, TEXT),
        names=dict(enumerate(names)),
        where=replace(_where(pipeline, split, found), column=name),
    )


@probe(Samples, Cost.DATA, "{data}", user_code=True)
def samples(pipeline: Pipeline, split: Split) -> Samples:
    """Look at the first batch and at the two longest rows, as they go into the collator."""
    found = source(pipeline, split)
    if found.transform is not None:
        return look_at(pipeline.fact(Read, split), None, split)
    if not len(found):
        raise Unavailable(f"the {split.value} data has no rows")
    first = range(min(len(found), batch_size(pipeline, split)))
    longest = arrow.longest(found.raw, found.measures_length(), LONGEST)
    indices = (*first, *(row for row in longest if row not in first))
    columns = pipeline.optional(Columns, split)
    names = _reaching(columns) if columns is not None else tuple(found.types())
    return described(indices, found.rows(indices), names)


def _reaching(columns: Columns) -> tuple[str, ...]:
    try:
        return columns.kept
    except Unavailable:
        return tuple(columns.types)


def _where(pipeline: Pipeline, split: Split, found: Source | None) -> Location:
    """Return the file that data comes from, else the line that gives it to the trainer."""
    if found is not None and found.file is not None:
        return Location(file=found.file, split=split.value)
    return replace(sites.data(pipeline.parts, split.value), split=split.value)


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
