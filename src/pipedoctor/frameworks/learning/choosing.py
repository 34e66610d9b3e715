"""Which rows make the batch that is learned: as many of its size as there are, of every label."""

from __future__ import annotations

from collections.abc import Sequence

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
    if labels is None or labels.kind not in {"int", "bool"} or labels.width is not None:
        return usual, None
    known = "counts" if labels.known("counts") else "seen"
    if not labels.known(known) or not labels.examples:
        return usual, None
    values = [v for v in getattr(labels, known) if v != IGNORED and v in labels.examples]
    if len(values) > MOST_CLASSES and labels.per_token:
        return usual, None
    size = max(size, min(len(values), MOST_CLASSES))
    chosen: dict[int, None] = {}
    for turn in range(size):
        for value in values:
            held = labels.examples[value]
            if turn < len(held) and len(chosen) < size:
                chosen.setdefault(held[turn])
    for row in first:
        if len(chosen) < size:
            chosen.setdefault(row)
    there = sum(any(row in chosen for row in labels.examples[value]) for value in values)
    return tuple(sorted(chosen)), (there, len(values))
