"""The fact `Masks`, from the collated batches."""

from __future__ import annotations

from typing import Any

from pipedoctor.fact import Split, Unavailable
from pipedoctor.facts.masks import Masked, Masks
from pipedoctor.facts.model import Model
from pipedoctor.facts.tokenizer import Tokenizer
from pipedoctor.frameworks.data.batches import Batches, Collated
from pipedoctor.pipeline import Pipeline


def masks(pipeline: Pipeline, split: Split) -> Masks:
    """
    Look at the ends of each row.

    Raises:
        Unavailable: No batch has token ids and a mask of the same shape.

    """
    pad = _pad_id(pipeline)
    found = [_rows(one, pad) for one in pipeline.fact(Batches, split).made]
    if not any(found):
        raise Unavailable("no batch has input_ids and an attention_mask of the same shape")
    return Masks(tuple(found), pad)


def _pad_id(pipeline: Pipeline) -> int | None:
    tokenizer = pipeline.optional(Tokenizer)
    if tokenizer is not None and tokenizer.known("pad_id"):
        return tokenizer.pad_id
    model = pipeline.optional(Model)
    return model.pad_id if model is not None and model.known("pad_id") else None


def _rows(one: Collated, pad: int | None) -> dict[int, Masked]:
    ids, mask = one.arrays.get("input_ids"), one.arrays.get("attention_mask")
    shaped = getattr(ids, "ndim", 0) == 2 and getattr(mask, "shape", None) == ids.shape  # type: ignore[union-attr]  # it has dimensions
    if not shaped or len(one.rows) != len(ids):  # type: ignore[arg-type]  # likewise
        return {}
    filled = [[i == pad for i in row] for row in _lists(ids)]  # no id is None
    opened = [[bool(value) for value in row] for row in _lists(mask)]
    return {
        row: _masked(pads, opens)
        for row, pads, opens in zip(one.rows, filled, opened, strict=True)
    }


def _lists(value: Any) -> list[list[int]]:
    rows: list[list[int]] = value.tolist()
    return rows


def _masked(pads: list[bool], opens: list[bool]) -> Masked:
    open_pads = [pad and is_open for pad, is_open in zip(pads, opens, strict=True)]
    closed = [not is_open for is_open in opens]
    return Masked(
        open=sum(opens),
        before=_run(open_pads),
        behind=_run(open_pads[::-1]),
        closed_before=_run(closed),
        closed_behind=_run(closed[::-1]),
    )


def _run(flags: list[bool]) -> int:
    return flags.index(False) if False in flags else len(flags)
