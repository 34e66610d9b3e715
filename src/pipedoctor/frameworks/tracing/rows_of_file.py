"""Rows from a file that the user names with `--data`; nothing in it is executed."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipedoctor.fact import Unavailable

KINDS = ".jsonl, .json, .csv, .tsv, .safetensors or .npz"


def read(path: str) -> list[dict[str, Any]]:
    """
    Return the rows of a file: one mapping of names to values each.

    Raises:
        Unavailable: It can't be read, or is of another kind.

    """
    suffix = Path(path).suffix
    try:
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
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise Unavailable(f"{path} can't be read: {error}") from None
    raise Unavailable(f"{path} is no file of rows that can be read ({KINDS})")


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
