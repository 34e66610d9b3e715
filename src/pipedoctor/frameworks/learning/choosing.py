"""Which rows make the batch that is learned: as many of its size as there are, of every label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipedoctor.fact import Split
from pipedoctor.facts.labels import IGNORED, Labels
from pipedoctor.pipeline import Pipeline
from pipedoctor.probes import feeding

LARGEST = 16
"""So many rows are enough to see whether a batch is learned, and few enough to be quick."""

MOST_CLASSES = 32
"""A batch holds every label if there are not more than this."""


def rows(
    pipeline: Pipeline, first: Sequence[int]
) -> tuple[tuple[int, ...], tuple[int, int] | None]:
    """
    Return the rows, and how many distinct labels they hold of how many; None: no classes.

    `first` are the rows of the usual first batch, which fill what is left.
    """
    labels = pipeline.optional(Labels, Split.TRAIN)
    size = max(2, min(feeding.batch_size(pipeline, Split.TRAIN), LARGEST))
    usual = tuple(first[:size])
    examples = _examples(labels) if labels is not None else {}
    values = list(examples)
    if labels is None or not values or (len(values) > MOST_CLASSES and labels.per_token):
        return usual, None
    size = max(size, min(len(values), MOST_CLASSES))
    chosen: dict[int, None] = {}
    for turn in range(size):
        for value in values:
            held = examples[value]
            if turn < len(held) and len(chosen) < size:
                chosen.setdefault(held[turn])
    for row in first:
        if len(chosen) < size:
            chosen.setdefault(row)
    there = sum(any(row in chosen for row in examples[value]) for value in values)
    return tuple(sorted(chosen)), (there, len(values))


def varied(labels: Labels | None) -> bool:
    """Whether more than one label is known to be there."""
    if labels is None or labels.per_token:
        return False
    if labels.hot:
        return len(labels.hot) > 1
    known = next((name for name in ("counts", "seen") if labels.known(name)), None)
    return labels.width is None and known is not None and len(getattr(labels, known)) > 1


def spaced(total: int, size: int) -> tuple[int, ...]:
    """Return the numbers of so many rows, from the first to the last at equal distances."""
    size = min(size, total)
    return tuple(row * (total - 1) // max(1, size - 1) for row in range(size))


def _examples(labels: Labels) -> Mapping[int | float | str | bool, tuple[int, ...]]:
    """Return rows of each class; empty where the labels are none."""
    if labels.hot:
        return {place: rows for place, rows in labels.hot.items()}  # noqa: C416 - widens the type of the keys
    if labels.kind not in {"int", "bool"} or labels.width is not None:
        return {}
    known = next((name for name in ("counts", "seen") if labels.known(name)), None)
    values = getattr(labels, known) if known is not None else ()
    return {v: labels.examples[v] for v in values if v != IGNORED and v in labels.examples}
