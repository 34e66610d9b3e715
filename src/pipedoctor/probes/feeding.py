"""How rows reach the model, as far as the settings tell: the same for every kind of data."""

from __future__ import annotations

from typing import Any

from pipedoctor.fact import UNKNOWN, Split
from pipedoctor.facts.settings import Settings
from pipedoctor.pipeline import Pipeline

MOST_ROWS = 32
"""A batch that is only looked at is not larger than this, so that the look stays cheap."""

DEFAULT_BATCH = 8
"""Trainer's batch size per device where nobody states one."""

LABELS = ("labels", "label", "label_ids")
"""The names under which the collators of transformers take labels, in the order they look."""

TEXT = 80
"""So many characters of a row's text are kept for people to see."""


def batch_size(pipeline: Pipeline, split: Split) -> int:
    """Return how many rows the first batch of a split has, as far as it is looked at."""
    settings = pipeline.optional(Settings)
    name = f"per_device_{split.value}_batch_size"
    stated = settings.get(name) if settings is not None else None
    if isinstance(stated, bool) or not isinstance(stated, int) or stated < 1:
        stated = DEFAULT_BATCH
    return min(stated, MOST_ROWS)


def filtered(pipeline: Pipeline) -> Any:
    """
    Return whether the columns that the model does not take are dropped.

    Where no settings are given, Trainer's default holds.
    """
    settings = pipeline.optional(Settings)
    stated = True if settings is None else settings.get("remove_unused_columns")
    return stated if isinstance(stated, bool) else UNKNOWN


def label_columns(pipeline: Pipeline) -> tuple[str, ...]:
    """Return the names of columns that may hold the labels, those that are stated first."""
    settings = pipeline.optional(Settings)
    if settings is None:
        return LABELS
    names = settings.get("label_names")
    stated = (
        settings.get("label_column_name"),
        *(names if isinstance(names, (list, tuple)) else ()),
    )
    return (*(name for name in stated if isinstance(name, str)), *LABELS)
