"""A row that a value comes from, in words: its text, or its few numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipedoctor.pipeline import Pipeline

LONGEST = 160
"""So many characters of a row are shown."""

FEW = 8
"""A row's numbers are shown if there are no more."""

MANY = 16
"""Of a row's tokens, so many are shown where there is no tokenizer to decode them."""


def shown(pipeline: Pipeline, inputs: Mapping[str, Any], rows: tuple[int, ...], place: int) -> str:
    """Return what a row of the batch holds: its text, or its few numbers."""
    number = rows[place]
    tokenizer = pipeline.parts.get("tokenizer")
    ids = inputs.get("input_ids")
    parts = []
    for name, value in inputs.items():
        single = getattr(value, "ndim", 0) and len(value) == len(rows)
        if single and value.is_floating_point() and value[place].numel() <= FEW:
            parts.append(f"{name} = {value[place].tolist()}")
    if tokenizer is not None and ids is not None and hasattr(tokenizer, "decode"):
        text = tokenizer.decode(ids[place], skip_special_tokens=True)
        parts.append(f'"{text[:LONGEST]}{"…" * (len(text) > LONGEST)}"')
    elif ids is not None and getattr(ids, "ndim", 0) == 2:
        few = ", ".join(map(str, ids[place][:MANY].tolist()))
        parts.append(f"input_ids = [{few}{', …' * (ids.shape[1] > MANY)}]")
    return f"row {number}: {', '.join(parts)}" if parts else f"row {number}"
