"""Rows from a file that the user names with `--data`; nothing in it is executed."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from pipedoctor.fact import Unavailable

KINDS = ".jsonl, .json, .csv, .tsv, .safetensors or .npz"


def read(path: str) -> list[dict[str, Any]]:
    """
    Return the rows of a file: one mapping of names to values each.

    Raises:
        Unavailable: It can't be read, or is of another kind.

    """
    try:
        rows = _read(path, Path(path).suffix)
    except _errors() as error:
        raise Unavailable(f"{path} can't be read: {error}") from None
    if rows is None:
        raise Unavailable(f"{path} is no file of rows that can be read ({KINDS})")
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise Unavailable(f"row {number} of {path} is no mapping of names to values")
    return rows


def _errors() -> tuple[type[Exception], ...]:
    """Return what the libraries raise that read files of these kinds."""
    errors = (OSError, LookupError, TypeError, ValueError, ImportError, RecursionError)
    with suppress(ImportError):
        from safetensors import SafetensorError

        return (*errors, csv.Error, BadZipFile, SafetensorError)
    return (*errors, csv.Error, BadZipFile)


def _read(path: str, suffix: str) -> list[dict[str, Any]] | None:
    """Return what a file of a known kind holds, None for another kind."""
    if suffix == ".jsonl":
        lines = Path(path).read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.strip()]
    if suffix == ".json":
        held = json.loads(Path(path).read_text(encoding="utf-8"))
        return _rows(held) if isinstance(held, dict) else list(held)
    if suffix in {".csv", ".tsv"}:
        with open(path, encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file, delimiter="\t" if suffix == ".tsv" else ",")
            return [{name: _number(text) for name, text in row.items()} for row in rows]
    if suffix == ".safetensors":
        from safetensors.torch import load_file

        return _rows(load_file(path))
    if suffix == ".npz":
        import numpy as np

        with np.load(path, allow_pickle=False) as held:
            return _rows({name: held[name] for name in held.files})
    return None


def _rows(columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    names = list(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _number(text: str | None) -> Any:
    """Return the number that a cell holds, else its text."""
    for kind in (int, float):
        try:
            return kind(text or "")
        except ValueError:
            continue
    return text
