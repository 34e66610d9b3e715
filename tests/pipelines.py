"""Pipelines to measure, and the files that they are made from."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipedoctor import frameworks
from pipedoctor.frameworks import loading
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline
from pipedoctor.targets.recipe import Recipe


def pipeline(**parts: Any) -> Pipeline:
    """A pipeline of these parts, measured by all adapters that know them."""
    given = Parts(parts)
    return Pipeline(given, frameworks.probes(given))


def run(recipe: Recipe, **settings: Any) -> Pipeline:
    """The pipeline of a config."""
    return pipeline(**loading.parts(recipe), settings=settings)


def write_csv(path: Path, rows: Iterable[Iterable[object]], *header: str) -> str:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return str(path)


def write_json(path: Path, rows: Iterable[Mapping[str, object]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)
