"""The end-of-text token in the collated batches, and whether it is among the labels."""

from __future__ import annotations

from typing import Any

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.end_token import EndToken
from pipedoctor.facts.labels import IGNORED
from pipedoctor.facts.model import Model
from pipedoctor.frameworks.data.batches import Batches
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes.preview.arrays import to_numpy


@probe(EndToken, Cost.MODEL, "model", "{data}", user_code=True)
def end_token(pipeline: Pipeline, split: Split) -> EndToken:
    """Count the rows that hold the token, and those that learn it."""
    if not pipeline.fact(Model).decoder_only:
        raise Unavailable("the model is no causal language model")
    tokenizer, number = _end(pipeline)
    rows, learned = 0, 0
    holding: list[int] = []
    for one in pipeline.fact(Batches, split).made:
        ids, labels, mask = (
            to_numpy(one.arrays.get(name)) for name in ("input_ids", "labels", "attention_mask")
        )
        if any(array is None or array.ndim != 2 for array in (ids, labels, mask)):
            raise Unavailable("the batch has no labels and mask for each token")
        if not ids.shape == labels.shape == mask.shape or len(ids) != len(one.rows):
            raise Unavailable("the labels of the batch do not stand beside its tokens")
        for row, mine, target, attended in zip(one.rows, ids, labels, mask, strict=True):
            if not (target != IGNORED).any():
                continue  # a row without any label teaches nothing, for another reason
            rows += 1
            ends = (mine == number) & (attended != 0)
            if ends.any():
                holding.append(row)
                learned += bool((target[ends] != IGNORED).any())
    return EndToken(
        token=_name(tokenizer, number),
        id=number,
        pads=getattr(tokenizer, "pad_token_id", None) == number,
        rows=rows,
        holding=tuple(dict.fromkeys(holding)),
        learned=learned,
        collator=type(pipeline.parts.get("collator")).__name__,
    )


def _end(pipeline: Pipeline) -> tuple[Any, int]:
    """Return the tokenizer, that of the collator if there is no other, and its end token."""
    candidates = (
        pipeline.parts.get("tokenizer"),
        getattr(pipeline.parts.get("collator"), "tokenizer", None),
    )
    for candidate in candidates:
        number = getattr(candidate, "eos_token_id", None)
        if isinstance(number, int):
            return candidate, number
    raise Unavailable("no tokenizer with an end token was given")


def _name(tokenizer: Any, number: int) -> str:
    token = tokenizer.convert_ids_to_tokens(number)
    return token if isinstance(token, str) else str(number)
