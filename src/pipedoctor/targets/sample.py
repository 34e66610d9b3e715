"""A glance at the first rows of a data file: its columns, and what the labels look like."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

MOST_BYTES = 1 << 16
MOST_ROWS = 100

Kind = Literal["int", "float", "text", "list"]


@dataclass(frozen=True, repr=False, eq=False)
class Sample:
    """
    The columns of a data file, and its first rows, with values as they were written.

    Of a csv they are texts; of JSON what JSON makes of them.
    """

    columns: tuple[str, ...] = ()
    rows: tuple[Mapping[str, Any], ...] = ()

    def kind(self, column: str) -> Kind | None:
        """
        Return what a column holds: "float" as soon as one value needs it, as readers do.

        With a gap in it that depends on the reader, and nothing is returned.
        """
        values = [row.get(column) for row in self.rows]
        kinds = {None if value is None or value == "" else _kind(value) for value in values}
        if None in kinds:
            return None
        order: tuple[Kind, ...] = ("list", "text", "float", "int")
        return next((kind for kind in order if kind in kinds), None)


NOTHING = Sample()


def first_rows(path: str) -> Sample:
    """Return what the beginning of a csv or JSON file tells; nothing if that can't be had."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in {".csv", ".tsv", ".json", ".jsonl"}:
        return NOTHING
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return NOTHING
        with open(path, "rb") as file:
            data = file.read(MOST_BYTES)
    except (OSError, ValueError):
        return NOTHING
    text = data.decode("utf-8-sig", errors="replace")
    complete = len(data) < MOST_BYTES
    if suffix in {".json", ".jsonl"}:
        if re.match(r'\s*\{\s*"(version|data)"\s*:', text):
            return Sample(("data",))  # like SQuAD: the rows are a list in there
        rows = tuple(islice(_json_rows(text), MOST_ROWS))
        return Sample(tuple(rows[0]) if rows else (), rows)
    return _csv(text if complete else text.rpartition("\n")[0], "\t" if suffix == ".tsv" else ",")


def _json_rows(text: str) -> Iterator[dict[str, Any]]:
    """Yield the objects that follow one another, be it in lines or in a list."""
    import json

    decoder = json.JSONDecoder()
    skipped = re.compile(r"[\s,\[]*")
    at = 0
    while (match := skipped.match(text, at)) and match.end() < len(text):
        try:
            row, at = decoder.raw_decode(text, match.end())
        except (ValueError, RecursionError):
            return
        if not isinstance(row, dict):
            return
        yield row


def _csv(text: str, separator: str) -> Sample:
    import csv
    import io

    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        columns = tuple(next(reader, ()))
        rows = tuple(
            dict(zip(columns, row, strict=False)) for row in islice(reader, MOST_ROWS) if row
        )
    except csv.Error:
        return NOTHING
    return Sample(columns, rows)


def _kind(value: object) -> Kind:
    if isinstance(value, (list, dict)):
        return "list"
    if isinstance(value, float):
        return "float"
    if isinstance(value, int):
        return "int"
    text = str(value).strip()
    if re.fullmatch(r"[+-]?\d+", text):
        return "int"
    try:
        float(text)
    except ValueError:
        return "text"
    return "float"
