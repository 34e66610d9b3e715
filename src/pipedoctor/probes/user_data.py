"""
Columns, labels and samples of data whose rows its own code makes: a `Dataset` of the user's.

Whatever has a length and gives a row for an index is read here, in any framework; an adapter
reads what it knows a better way for.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pipedoctor.fact import Cost, Elsewhere, Split, Unavailable, unknown
from pipedoctor.facts.columns import Columns
from pipedoctor.facts.labels import Labels
from pipedoctor.facts.model import Model
from pipedoctor.facts.samples import Samples
from pipedoctor.finding import Location
from pipedoctor.frameworks.data.feeding import accepted, drops, feed
from pipedoctor.frameworks.data.reading import (
    Read,
    fetch_groups,
    raise_broken,
    read_by_index,
    require_rows,
)
from pipedoctor.frameworks.data.record import Column, as_record, described
from pipedoctor.frameworks.restoring.undisturbed import undisturbed
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes.feeding import TEXT, batch_size, label_columns
from pipedoctor.probes.table import is_table
from pipedoctor.probes.tally import count


@probe(Read, Cost.DATA, "{data}", user_code=True)
def read(pipeline: Pipeline, split: Split) -> Read:
    """Read rows by their index, or the first of a copy of a stream."""
    from pipedoctor.frameworks.data import streams

    data = feed(pipeline, split).data
    if is_stream(data):
        return streams.read(pipeline, split, data)
    if not by_index(data):
        raise Elsewhere(f"the rows of a {type(data).__name__} can't be read by their index")
    with undisturbed(data):
        labels, size = label_columns(pipeline), batch_size(pipeline, split)
        found = read_by_index(data, len(data), labels, size, streams.budget(pipeline))
        return fetch_groups(found, data) if found.together else found


def by_index(data: Any) -> bool:
    """Whether an object gives a row for an index, and knows how many there are."""
    if isinstance(data, (Mapping, range, str, bytes)) or is_stream(data):
        return False
    if type(data).__module__.partition(".")[0] in {"datasets", "pipedoctor"}:
        return False  # the adapter of datasets knows more of these
    return hasattr(type(data), "__getitem__") and hasattr(type(data), "__len__")


def is_stream(data: Any) -> bool:
    """Whether an object gives its rows one after the other, and is no data set by index."""
    if hasattr(data, "__next__"):
        return True
    torch, datasets = sys.modules.get("torch"), sys.modules.get("datasets")
    if torch is not None and isinstance(data, torch.utils.data.IterableDataset):
        return True  # its base class has __getitem__, only to refuse
    return datasets is not None and isinstance(data, datasets.IterableDataset)


@probe(Columns, Cost.DATA, "{data}", user_code=True)
def columns(pipeline: Pipeline, split: Split) -> Columns:
    """Name what the rows hold, and which of it the model would get."""
    found = _own(pipeline, split)
    if getattr(feed(pipeline, split).data, "features", None) is not None:
        raise Elsewhere("the data says itself what its columns are")
    raise_broken(found, Columns, split, head=True)
    require_rows(found, split)
    if not found.columns:
        raise Unavailable(f"the rows are of type {found.form}, which has no named columns")
    model = pipeline.optional(Model)
    known = model is not None and model.known("accepts")
    return Columns(
        types={name: column.type for name, column in found.columns.items()},
        accepted=accepted(pipeline) if known else unknown("what the model takes is not known"),
        # Trainer drops keys of a dict; what only resembles one passes as it is.
        filtered=drops(pipeline, split) if found.form == "dict" else False,
        where=Location(split=split.value),
    )


@probe(Labels, Cost.DATA, "{data}", user_code=True)
def labels(pipeline: Pipeline, split: Split) -> Labels:
    """Count the labels of the rows that were read."""
    return count_labels(_own(pipeline, split), label_columns(pipeline), split)


def count_labels(found: Read, names: tuple[str, ...], split: Split) -> Labels:
    """
    Count the labels of rows.

    Raises:
        ProbeFailed: A row could not be read.
        Unavailable: The rows have no labels.

    """
    raise_broken(found, Labels, split)
    require_rows(found, split)
    name = _label_column(found, names)
    column = found.columns[name]
    counted = count({row: column.values[row] for row in sorted(column.values)})
    per_token = counted.lists and _follows_tokens(found, column)
    figures = ("counts", "distinct", "minimum", "maximum")
    known: dict[str, Any]
    if found.complete:
        known = {figure: getattr(counted, figure) for figure in figures}
    else:
        known = dict.fromkeys(figures, unknown(partly(found, split)))
        known |= {"partial": True, "of": found.total, "seen": counted.counts}
    return Labels(
        column=name,
        kind=counted.kind,
        rows=len(column.values),
        missing=counted.missing,
        width=None if per_token else counted.width,
        per_token=per_token,
        examples=counted.examples,
        hot={} if per_token else counted.hot,
        texts=_texts(found),
        where=Location(column=name, split=split.value),
        **known,
    )


def partly(found: Read, split: Split) -> str:
    """Say that not all rows were read, and why."""
    if found.total is None:
        return f"the {split.value} data is a stream, of which {found.count:,} rows were read"
    return (
        f"{found.count:,} of {found.total:,} rows of the {split.value} data were read "
        f"({found.seconds:.1f} s): what the others hold is not known"
    )


@probe(Samples, Cost.DATA, "{data}", user_code=True)
def samples(pipeline: Pipeline, split: Split) -> Samples:
    """Look at the rows of the first batch, and at the two longest of those that were read."""
    found = _own(pipeline, split)
    told = pipeline.optional(Columns, split)
    names = None if told is None or not told.known("accepted") else told.kept
    return look_at(found, names, split)


def look_at(found: Read, names: tuple[str, ...] | None, split: Split) -> Samples:
    """
    Describe the rows that were kept: what they hold under these names, or all of it.

    Raises:
        ProbeFailed: A row of the first batch could not be read.
        Unavailable: The rows hold nothing that has a name.

    """
    raise_broken(found, Samples, split, head=True)
    require_rows(found, split)
    if not found.columns:
        raise Unavailable(f"the rows are of type {found.form}, which has no named columns")
    rows = (*found.first, *found.longest)
    records = [as_record(found.kept[row]) or {} for row in rows]
    return replace(
        described(rows, records, tuple(found.columns) if names is None else names),
        together=found.groups if found.together else (),
        read=None if found.complete else found.count,
    )


def _own(pipeline: Pipeline, split: Split) -> Read:
    """Return what was read of data that no other source knows a better way for."""
    data = feed(pipeline, split).data
    if is_table(data) or not (by_index(data) or is_stream(data)):
        raise Elsewhere(f"the rows of a {type(data).__name__} are not read one by one")
    return pipeline.fact(Read, split)


def _label_column(found: Read, names: tuple[str, ...]) -> str:
    if not found.columns:
        raise Unavailable(f"the rows are of type {found.form}, which has no named labels")
    for name in names:
        if name in found.columns:
            return name
    raise Unavailable(f"the rows have no labels; they hold {', '.join(found.columns)}")


def _follows_tokens(found: Read, labels: Column) -> bool:
    """Whether the labels have the length of the tokens in every row."""
    tokens = ("input_ids", "tokens", "words")
    others = [found.columns[name] for name in tokens if name in found.columns]
    return any(other.lengths == labels.lengths for other in others)


def _texts(found: Read) -> dict[int, str]:
    """Return the beginning of the text of the rows that were kept."""
    name = next((n for n, column in found.columns.items() if column.type == "string"), None)
    if name is None:
        return {}
    texts = {row: (as_record(value) or {}).get(name) for row, value in found.kept.items()}
    return {row: text[:TEXT] for row, text in texts.items() if isinstance(text, str)}
