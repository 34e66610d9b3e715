"""
Labels, columns and samples of plain Python tables: a dict of columns, or a list of dicts.

Only exactly these types are read here. What merely resembles them is an adapter's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from pipedoctor.fact import UNKNOWN, Cost, Split, Unavailable, unknown
from pipedoctor.facts.columns import Columns
from pipedoctor.facts.labels import Labels
from pipedoctor.facts.model import Model
from pipedoctor.facts.samples import Samples
from pipedoctor.finding import Location
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes.feeding import TEXT, batch_size, filtered, label_columns

Table = dict[str, Sequence[Any]]

SHOWN = 3
"""The rows that are named for each value."""

_ARROW = {int: "int64", float: "double", str: "string", bool: "bool", bytes: "binary"}
_KINDS = {int: "int", float: "float", str: "text", bool: "bool"}


@probe(Columns, Cost.DATA, "{data}", user_code=True)
def columns(pipeline: Pipeline, split: Split) -> Columns:
    """Name the columns, their types, and which of them the model would get."""
    table = _table(pipeline, split)
    model = pipeline.optional(Model)
    accepted: Any = unknown("what the model takes is not known")
    if model is not None and model.known("accepts"):
        named = model.label_names if model.known("label_names") else ()
        accepted = tuple(dict.fromkeys((*model.accepts, "label", "label_ids", *named)))
    return Columns(
        types={name: _type(values) for name, values in table.items()},
        accepted=accepted,
        filtered=filtered(pipeline),
        where=Location(split=split.value),
    )


@probe(Labels, Cost.DATA, "{data}", user_code=True)
def labels(pipeline: Pipeline, split: Split) -> Labels:
    """Count the labels: of rows, of tokens, or of lists of a fixed width."""
    table = _table(pipeline, split)
    column = _label_column(table, label_columns(pipeline))
    values = [None if _missing(value) else value for value in table[column]]
    present = [value for value in values if value is not None]
    lists = bool(present) and all(type(value) in {list, tuple} for value in present)
    kind = _kind(chain.from_iterable(present) if lists else present)
    tally = _tally(values, lists=lists)
    most = Labels.MOST_DISTINCT
    numbers = tally if kind in {"int", "float"} else {}
    known = len(tally) <= most and kind != "other"
    shown = {value: tuple(rows) for value, (_, rows) in tally.items()} if known else {}
    widths = {len(value) for value in present} if lists else set()
    per_token = lists and _follows_tokens(table, column)
    return Labels(
        column=column,
        kind=kind,
        rows=len(values),
        counts={value: number for value, (number, _) in tally.items()} if known else UNKNOWN,
        distinct=UNKNOWN if kind == "other" else len(tally),
        missing=len(values) - len(present),
        width=(widths.pop() if len(widths) == 1 else 0) if lists and not per_token else None,
        per_token=per_token,
        minimum=min(numbers) if numbers else UNKNOWN,
        maximum=max(numbers) if numbers else UNKNOWN,
        examples=shown,
        texts=_texts(table, column, {row for rows in shown.values() for row in rows}),
        where=Location(column=column, split=split.value),
    )


@probe(Samples, Cost.DATA, "{data}", user_code=True)
def samples(pipeline: Pipeline, split: Split) -> Samples:
    """Look at the rows of the first batch, and at the two longest."""
    table = _table(pipeline, split)
    count = len(next(iter(table.values())))
    sequences = [n for n, values in table.items() if any(type(v) in {list, tuple} for v in values)]
    rows = list(range(min(batch_size(pipeline, split), count)))
    if sequences:
        longest = "input_ids" if "input_ids" in sequences else sequences[0]
        lengths = [_length(value) for value in table[longest]]
        rows += sorted(range(count), key=lambda row: (-lengths[row], row))[:2]
    chosen = tuple(dict.fromkeys(rows))
    missing = {
        n: tuple(row for row in chosen if _missing(values[row])) for n, values in table.items()
    }
    return Samples(
        rows=chosen,
        columns=tuple(table),
        lengths={n: tuple(_length(table[n][row]) for row in chosen) for n in sequences},
        missing={n: lacking for n, lacking in missing.items() if lacking},
    )


def _table(pipeline: Pipeline, split: Split) -> Table:
    """Return the data as columns of equal length, or raise `Unavailable`."""
    data = pipeline.data(split)
    if type(data) is dict:
        table = {str(name): values for name, values in data.items()}
        if not all(type(values) in {list, tuple} for values in table.values()):
            raise Unavailable("the data is a dict, but its values are not all lists")
        if len({len(values) for values in table.values()}) > 1:
            raise Unavailable("the columns of the data have different lengths")
    elif type(data) in {list, tuple} and all(type(row) is dict for row in data):
        names = dict.fromkeys(chain.from_iterable(data))
        table = {str(name): [row.get(name) for row in data] for name in names}
    else:
        raise Unavailable(f"the data is no plain table, but of type {type(data).__name__}")
    if not table or not len(next(iter(table.values()))):
        raise Unavailable("the data has no rows")
    return table


def _label_column(table: Table, names: tuple[str, ...]) -> str:
    for name in names:
        if name in table:
            return name
    raise Unavailable(f"no column of the data is called {', '.join(names[:-1])} or {names[-1]}")


def _missing(value: object) -> bool:
    """Whether there is no value: None, or NaN, which is what a csv makes of nothing."""
    return value is None or (type(value) is float and value != value)  # noqa: PLR0124 - only NaN differs from itself


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
    return _ARROW.get(kind, "struct" if kind is dict else kind.__name__)


def _kind(values: Iterable[Any]) -> str:
    """Return the word that the fact `Labels` has for the type of these values."""
    kinds = {type(value) for value in values if not _missing(value)}
    for kind in kinds:
        if kind.__module__ != "builtins":
            raise Unavailable(f"the labels are of type {kind.__name__}, which is not plain Python")
    if kinds == {int, float}:
        return "float"
    return _KINDS.get(kinds.pop(), "other") if len(kinds) == 1 else "other"


def _tally(values: list[Any], *, lists: bool) -> dict[Any, tuple[int, list[int]]]:
    """Return, for each value, how often it occurs and the first rows that hold it, in order."""
    found: dict[Any, tuple[int, list[int]]] = {}
    for row, value in enumerate(values):
        for item in (value or ()) if lists else (value,):
            if _missing(item) or type(item) not in _KINDS:
                continue
            number, rows = found.get(item, (0, []))
            if len(rows) < SHOWN and row not in rows:
                rows.append(row)
            found[item] = (number + 1, rows)
    comparable = len({str if type(item) is str else int for item in found}) < 2
    return {item: found[item] for item in (sorted(found) if comparable else found)}


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
