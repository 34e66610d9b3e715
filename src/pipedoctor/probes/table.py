"""
Labels, columns and samples of plain Python tables: a dict of columns, or a list of dicts.

Only exactly these types are read here. What merely resembles them is an adapter's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from pipedoctor.fact import Cost, Elsewhere, Split, Unavailable, unknown
from pipedoctor.facts.columns import Columns
from pipedoctor.facts.labels import Labels
from pipedoctor.facts.model import Model
from pipedoctor.facts.samples import Samples
from pipedoctor.finding import Location
from pipedoctor.frameworks.data.feeding import accepted, drops, feed
from pipedoctor.frameworks.data.record import PLAIN
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes.feeding import TEXT, batch_size, label_columns
from pipedoctor.probes.tally import count, missing

Table = dict[str, Sequence[Any]]


@probe(Columns, Cost.DATA, "{data}", user_code=True)
def columns(pipeline: Pipeline, split: Split) -> Columns:
    """Name the columns, their types, and which of them the model would get."""
    table = _table(pipeline, split)
    model = pipeline.optional(Model)
    taken: Any = unknown("what the model takes is not known")
    if model is not None and model.known("accepts"):
        named = model.label_names if model.known("label_names") else ()
        taken = tuple(dict.fromkeys((*accepted(pipeline), "label", "label_ids", *named)))
    return Columns(
        types={name: _type(values) for name, values in table.items()},
        accepted=taken,
        filtered=drops(pipeline, split),
        where=Location(split=split.value),
    )


@probe(Labels, Cost.DATA, "{data}", user_code=True)
def labels(pipeline: Pipeline, split: Split) -> Labels:
    """Count the labels: of rows, of tokens, or of lists of a fixed width."""
    table = _table(pipeline, split)
    column = _label_column(table, label_columns(pipeline))
    found = count(dict(enumerate(table[column])))
    per_token = found.lists and _follows_tokens(table, column)
    shown = found.examples
    return Labels(
        column=column,
        kind=found.kind,
        rows=len(table[column]),
        counts=found.counts,
        distinct=found.distinct,
        missing=found.missing,
        width=None if per_token else found.width,
        per_token=per_token,
        minimum=found.minimum,
        maximum=found.maximum,
        examples=shown,
        texts=_texts(table, column, {row for rows in shown.values() for row in rows}),
        where=Location(column=column, split=split.value),
    )


@probe(Samples, Cost.DATA, "{data}", user_code=True)
def samples(pipeline: Pipeline, split: Split) -> Samples:
    """Look at the rows of the first batch, and at the two longest."""
    table = _reaching(_table(pipeline, split), pipeline.optional(Columns, split))
    total = len(next(iter(table.values())))
    sequences = [n for n, values in table.items() if any(type(v) in {list, tuple} for v in values)]
    rows = list(range(min(batch_size(pipeline, split), total)))
    if sequences:
        longest = "input_ids" if "input_ids" in sequences else sequences[0]
        lengths = [_length(value) for value in table[longest]]
        rows += sorted(range(total), key=lambda row: (-lengths[row], row))[:2]
    chosen = tuple(dict.fromkeys(rows))
    lacking = {
        n: tuple(row for row in chosen if missing(values[row])) for n, values in table.items()
    }
    return Samples(
        rows=chosen,
        columns=tuple(table),
        lengths={n: tuple(_length(table[n][row]) for row in chosen) for n in sequences},
        missing={name: without for name, without in lacking.items() if without},
    )


def _table(pipeline: Pipeline, split: Split) -> Table:
    """Return the data as columns of equal length, or raise `Unavailable`."""
    data = feed(pipeline, split).data
    if not is_table(data):
        raise Elsewhere(f"the data is no plain table, but of type {type(data).__name__}")
    if type(data) is dict:
        table = {str(name): values for name, values in data.items()}
        if len({len(values) for values in table.values()}) > 1:
            raise Unavailable("the columns of the data have different lengths")
    else:
        names = dict.fromkeys(chain.from_iterable(data))
        table = {str(name): [row.get(name) for row in data] for name in names}
    if not table or not len(next(iter(table.values()))):
        raise Unavailable("the data has no rows")
    return table


def _reaching(table: Table, columns: Columns | None) -> Table:
    """Return the columns that the collator gets; all of them, where that is not known."""
    if columns is None or not columns.known("accepted") or not columns.known("filtered"):
        return table
    left = {name: values for name, values in table.items() if name in columns.kept}
    return left or table


def is_table(data: Any) -> bool:
    """Whether this is a dict of lists, or a list of dicts that hold plain Python."""
    if type(data) is dict:
        return all(type(values) in {list, tuple} for values in data.values())
    if type(data) not in {list, tuple} or not all(type(row) is dict for row in data):
        return False
    kinds = {type(value) for row in data[:1] for value in row.values()}
    return all(kind.__module__ == "builtins" for kind in kinds)


def _label_column(table: Table, names: tuple[str, ...]) -> str:
    for name in names:
        if name in table:
            return name
    raise Unavailable(f"no column of the data is called {', '.join(names[:-1])} or {names[-1]}")


def _type(values: Iterable[Any]) -> str:
    """Return the type of a column in the words of Arrow."""
    kinds = {type(value) for value in values if value is not None}
    if not kinds:
        return "null"
    if kinds <= {list, tuple}:
        inner = (value for value in values if type(value) in {list, tuple})
        return f"list<{_type(list(chain.from_iterable(inner)))}>"
    if kinds == {int, float}:
        return "double"
    if len(kinds) > 1:
        return "mixed"
    (kind,) = kinds
    return PLAIN.get(kind, "struct" if kind is dict else kind.__name__)


def _follows_tokens(table: Table, column: str) -> bool:
    """Whether the labels have the length of another column, the tokens, in every row."""
    lengths = [_length(value) for value in table[column]]
    return any(
        name != column
        and any(type(value) in {list, tuple} for value in values)
        and [_length(value) for value in values] == lengths
        for name, values in table.items()
        if name in {"input_ids", "tokens", "words"}
    )


def _length(value: object) -> int:
    return len(value) if isinstance(value, (list, tuple)) else 0


def _texts(table: Table, column: str, rows: set[int]) -> dict[int, str]:
    """Return the beginning of the text of these rows, of the first column that is text."""
    for name, values in table.items():
        if name != column and all(type(value) is str for value in values):
            return {row: values[row][:TEXT] for row in sorted(rows)}
    return {}
