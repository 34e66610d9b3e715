"""How many rows there are: counted in the file, or asked of the data itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from io import TextIOWrapper
from typing import Any, BinaryIO

from pipedoctor.fact import UNKNOWN, Cost, Elsewhere, Split, Unavailable, unknown
from pipedoctor.facts.rows import Rows
from pipedoctor.facts.settings import Settings
from pipedoctor.finding import Location
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes import files

LARGEST = 512 * 2**20
"""Larger files take longer to read than a look at the files may; measured: 5 s for 1 GB of csv."""
LARGEST_DOCUMENT = 64 * 2**20
"""A JSON document has to be held in memory as a whole, several times its size."""

REGROUPING = frozenset({"run_clm", "run_mlm", "run_plm", "run_fim", "run_qa", "run_seq2seq_qa"})
"""The scripts of Hugging Face that train on pieces of the rows, or on several joined."""

_BLANK = " \t\r\n"
_LIMITS = {Split.TRAIN: "max_train_samples", Split.EVAL: "max_eval_samples"}


@probe(Rows, Cost.STATIC, "train_rows")
def rows_as_stated(pipeline: Pipeline, split: Split) -> Rows:
    """
    Take the number that the user states; where a file has another one, say so.

    The data of a trainer that is there is counted all the same, and a stream has no length
    whatever is stated. What only the data itself would show stays unknown.
    """
    if split is not Split.TRAIN or "trainer" in pipeline.parts:
        raise Elsewhere("--rows is about training data that can't be counted")
    settings = pipeline.optional(Settings)
    if settings is not None and settings.stated.get("streaming") is True:
        raise Elsewhere("data that is streamed has no length, whatever --rows says")
    stated = _cut(pipeline.part("train_rows"), settings, split)
    told = "as --rows says"
    if pipeline.budget >= Cost.FILES and "files" in pipeline.parts:
        with suppress(Unavailable):
            counted = rows_of_file.measure(pipeline, split)
            assert isinstance(counted, Rows)
            told += f", not the {counted.used:,} of the file" * (counted.used != stated)
    unseen = unknown("--rows says how many rows there are, so the data was not asked")
    return Rows(
        stated,
        Location(key="--rows", origin="stated"),
        absent=unseen,
        unreadable=unseen,
        told=told,
    )


@probe(Rows, Cost.FILES, "files")
def rows_of_file(pipeline: Pipeline, split: Split) -> Rows:
    """Count the rows of the file that `load_dataset` would read, and cut them as the script."""
    path = files.path(pipeline, split.value)
    settings = pipeline.optional(Settings)
    if settings is not None and settings.script in REGROUPING:
        raise Unavailable(
            f"{settings.script} joins and cuts texts, so the rows of a file are not those it "
            "trains on"
        )
    stored = _cut(count(path), settings, split)
    key = files.ARGUMENTS[split.value]
    where = Location(file=path)
    if settings is not None and key in settings.stated:
        where = settings.where(key)
    return Rows(stored, where)


def _cut(rows: int, settings: Settings | None, split: Split) -> int:
    """Return as many rows as the scripts leave, by `max_train_samples` or `max_eval_samples`."""
    limit = settings.stated.get(_LIMITS[split]) if settings is not None else None
    if limit is None:
        return rows
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
        raise Unavailable(f"{_LIMITS[split]} is {limit!r}, which is no number of rows")
    return min(rows, limit)


@probe(Rows, Cost.DATA, "{data}", user_code=True)
def rows_of_data(pipeline: Pipeline, split: Split) -> Rows:
    """Ask the data for its length, or the trainer's own sampler; of a dict, the first column."""
    data = pipeline.data(split)
    if type(data) is dict and "trainer" not in pipeline.parts:
        return Rows(len(next(iter(data.values()), ())))
    if "trainer" in pipeline.parts:
        from pipedoctor.frameworks.data.loaders import own_loader

        own = own_loader(pipeline, split)
        if own is not None and own.loader is None:
            return Rows(own.rows)
        if own is not None:
            rows = None if own.batches is None else own.rows
            return Rows(rows, batches=UNKNOWN if own.batches is None else own.batches)
    kind = type(data).__name__
    if isinstance(data, Mapping):
        # One data set for each split, most often; a Trainer's data loader would ask it for row 0.
        rows = unknown(f"how many rows a {kind} holds is not known")
        return Rows(rows, unreadable=kind, splits=tuple(map(str, data)))
    unreadable = kind if "trainer" in pipeline.parts and not _loads(data) else None
    if not hasattr(type(data), "__len__"):
        return Rows(None, unreadable=unreadable)
    try:
        return Rows(len(data), unreadable=unreadable)
    except TypeError:  # what Trainer takes for data without a length
        return Rows(None)


def _loads(data: Any) -> bool:
    """Whether the data loader of torch can read an object: by index, or as a stream of its kind."""
    streams = {"IterableDataset", "IterDataPipe"}
    if any(base.__name__ in streams for base in type(data).__mro__):
        return True
    return hasattr(type(data), "__getitem__") and hasattr(type(data), "__len__")


@probe(Rows, Cost.DATA, "trainer")
def rows_of_nothing(pipeline: Pipeline, split: Split) -> Rows:
    """Say that a trainer has no training data."""
    trainer = pipeline.part("trainer")
    own = type(trainer).get_train_dataloader if hasattr(trainer, "get_train_dataloader") else None
    made_here = getattr(own, "__module__", "").partition(".")[0] == "transformers"
    if split is not Split.TRAIN or "train_data" in pipeline.parts or not made_here:
        raise Unavailable(f"no {split.value} data was given")
    return Rows(0, absent=True)


def count(path: str) -> int:
    """
    Return the number of rows of a csv, tsv, jsonl or json file.

    Raises:
        Unavailable: It is of another kind, too large, or not what its name says.

    """
    kind = path.lower().rpartition(".")[2]
    counters = {"csv": _csv, "tsv": _csv, "jsonl": _lines, "ndjson": _lines, "json": _json}
    if kind not in counters:
        raise Unavailable(f"the rows of {path} can't be counted without loading it")
    if files.size(path) > LARGEST:
        raise Unavailable(f"{path} is too large to count its rows without loading it")
    with files.opened(path) as file:
        try:
            found = counters[kind](file)
        except (OSError, ValueError, RecursionError) as error:
            raise Unavailable(f"the rows of {path} can't be counted: {error}") from None
    if found is None:
        raise Unavailable(f"{path} holds no rows that could be counted")
    return found


def _csv(file: BinaryIO) -> int | None:
    """Count records below the header, as pandas would: blank lines are none."""
    import csv

    if file.read(2) in {b"\xff\xfe", b"\xfe\xff"}:
        raise ValueError("it is in UTF-16")
    file.seek(0)
    # No byte of UTF-8 stands for a quote or an end of line but these themselves, so the quickest
    # decoding does. Inside of quotes, a blank line makes no difference to the number of records.
    text = TextIOWrapper(file, encoding="latin-1", newline="")
    lines = (line for line in text if line.strip(_BLANK))
    before = csv.field_size_limit(LARGEST)
    try:
        records = sum(1 for _ in csv.reader(lines))
    except csv.Error as error:
        raise ValueError(str(error)) from None
    finally:
        csv.field_size_limit(before)
    return records - 1 if records else None


def _lines(lines: Iterable[bytes]) -> int:
    return sum(1 for line in lines if line.strip())


def _json(file: BinaryIO) -> int | None:
    """Count the lines, or the items of one array, or of the array under the key `data`."""
    first = _first_line(file)
    if first.lstrip()[:1] == b"{":
        try:
            document: Any = json.loads(first)
        except ValueError:
            document = None
        if document is not None and (more := _lines(file)):
            return more + 1
        if document is not None:
            return _items(document) if "data" in document else 1
    file.seek(0)
    if len(text := file.read(LARGEST_DOCUMENT + 1)) > LARGEST_DOCUMENT:
        raise ValueError("it is one document, and too large to hold it in memory")
    return _items(json.loads(text))


def _items(document: Any) -> int | None:
    if isinstance(document, dict):
        document = document.get("data")
    return len(document) if isinstance(document, list) else None


def _first_line(file: BinaryIO) -> bytes:
    """Return the first line that is not blank."""
    lines: Iterator[bytes] = iter(lambda: file.readline(LARGEST_DOCUMENT), b"")
    return next((line for line in lines if line.strip()), b"")
