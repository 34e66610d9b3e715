"""Batches of other rows than the first and the longest ones, for what those do not show."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from pipedoctor.fact import Split
from pipedoctor.frameworks.batches import Collated
from pipedoctor.frameworks.feeding import collator, kept
from pipedoctor.frameworks.source import Data, fetched
from pipedoctor.frameworks.undisturbed import undisturbed
from pipedoctor.pipeline import Pipeline


def of_rows(pipeline: Pipeline, split: Split, rows: tuple[int, ...]) -> Collated | None:
    """Return a batch of these rows; None where they can't be read by their numbers."""
    table = pipeline.optional(Data, split)
    if table is None or table.source is None:
        return None
    function = collator(pipeline, split)
    names = kept(pipeline, split)
    with undisturbed(function):
        features: list[Any] = copy.deepcopy(fetched(table.source, rows, names))
        made = function(features)
    if not isinstance(made, Mapping):
        return None
    return Collated(rows, {str(name): value for name, value in made.items()})
