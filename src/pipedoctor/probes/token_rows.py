"""The tokens of the rows of data that its own code makes: what was noted while they were read."""

from __future__ import annotations

from typing import Any

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.token_rows import Those, TokenRows
from pipedoctor.finding import Location
from pipedoctor.frameworks.data.reading import Read
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe

IDS = "input_ids"
MASK = "attention_mask"
TARGETS = "labels"
BESIDE = (MASK, TARGETS, "token_type_ids")
"""Columns that have a value for each token, where they are lists."""

SHOWN = 3
"""So many rows are named."""


@probe(TokenRows, Cost.DATA, "{data}", user_code=True)
def token_rows_read(pipeline: Pipeline, split: Split) -> TokenRows:
    """Tell what was noted of the rows that were read."""
    found = pipeline.fact(Read, split)
    ids = found.columns.get(IDS)
    if ids is None or not ids.lengths or found.together:
        raise Unavailable("the rows have no token ids of their own")
    told: dict[str, Any] = {}
    if ids.ends is not None:
        told = {
            "least": ids.ends[0],
            "most": ids.ends[1],
            "holders": {end: (ids.holders[end],) for end in ids.ends},
        }
    mask = found.columns.get(MASK)
    if mask is not None and mask.ends is not None:
        told["masked"] = _those([row for row in mask.zero if ids.lengths.get(row)])
    apart: dict[str, Those] = {}
    lengths: dict[str, tuple[int, int, int]] = {}
    for name in BESIDE:
        column = found.columns.get(name)
        pairs = {} if column is None else column.lengths
        differ = [r for r, n in pairs.items() if r in ids.lengths and ids.lengths[r] != n]
        if differ:
            apart[name] = _those(differ)
            lengths[name] = (min(differ), ids.lengths[min(differ)], pairs[min(differ)])
    return TokenRows(
        rows=len(ids.lengths),
        of=None if found.complete else found.total,
        empty=_those([row for row, length in ids.lengths.items() if not length]),
        apart=apart,
        lengths=lengths,
        where=Location(column=IDS, split=split.value),
        **told,
    )


def _those(rows: list[int]) -> Those:
    return Those(len(rows), tuple(sorted(rows)[:SHOWN]))
