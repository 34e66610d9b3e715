"""What the rows of the collated batches are taught, token by token."""

from __future__ import annotations

from typing import Any

from pipedoctor.fact import UNKNOWN, Cost, Split, Unavailable
from pipedoctor.facts.head import Head
from pipedoctor.facts.labels import IGNORED
from pipedoctor.facts.supervision import Supervision, TaughtRow
from pipedoctor.frameworks.data.batches import Batches
from pipedoctor.frameworks.data.encoding import asking
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes.preview.arrays import to_numpy


@probe(Supervision, Cost.MODEL, "model", "{data}", user_code=True)
def supervision(pipeline: Pipeline, split: Split) -> Supervision:
    """Look at each row of the batches."""
    if not pipeline.fact(Head).vocabulary:
        raise Unavailable("the model predicts no tokens")
    tokenizer = tokenizer_of(pipeline)
    found: dict[int, tuple[TaughtRow, list[int]]] = {}
    for one in pipeline.fact(Batches, split).made:
        for row, ids, labels in _rows(one.arrays, one.rows):
            if len(ids):
                found.setdefault(row, (_taught(row, ids, labels), ids.tolist()))
    if not found:
        raise Unavailable("the rows of the batch have no token")
    collator = pipeline.parts.get("collator")
    rows = tuple(taught for taught, _ in found.values())
    return Supervision(
        rows=rows,
        special=_special(tokenizer),
        begin=getattr(tokenizer, "bos_token_id", None),
        end=getattr(tokenizer, "eos_token_id", None),
        pad=getattr(tokenizer, "pad_token_id", None),
        collator=getattr(collator, "__name__", type(collator).__name__),
        adds_begin=_adds_begin(tokenizer),
        template_begins=_template_begins(tokenizer),
        **_marker(collator, tokenizer, {row: ids for row, (_, ids) in found.items()}),
    )


def tokenizer_of(pipeline: Pipeline) -> Any:
    """Return the tokenizer, that of the collator if there is no other; None if there is none."""
    given = pipeline.parts.get("tokenizer")
    given = getattr(given, "tokenizer", given)  # a processor holds one
    return (
        given if given is not None else getattr(pipeline.parts.get("collator"), "tokenizer", None)
    )


def _rows(arrays: Any, rows: tuple[int, ...]) -> Any:
    """Yield each row's number, its tokens and their labels, without padding."""
    ids, labels, mask = (
        to_numpy(arrays.get(name)) for name in ("input_ids", "labels", "attention_mask")
    )
    if any(array is None or array.ndim != 2 for array in (ids, labels)):
        raise Unavailable("the batch has no labels for each token")
    if ids.shape != labels.shape or len(ids) != len(rows):
        raise Unavailable("the labels of the batch do not stand beside its tokens")
    if mask is None:
        mask = ids >= 0  # no id is negative: all of them
    if mask.shape != ids.shape:
        raise Unavailable("the attention mask of the batch does not tell which tokens are padding")
    for row, mine, target, attended in zip(rows, ids, labels, mask != 0, strict=True):
        # A collator may give no attention to padding only, or to what is not learned.
        held = attended | (target != IGNORED)
        yield row, mine[held], target[held]


def _taught(row: int, ids: Any, labels: Any) -> TaughtRow:
    import numpy as np

    learned = np.flatnonzero(labels != IGNORED)
    return TaughtRow(
        row=row,
        tokens=len(ids),
        learned=len(learned),
        first=tuple(int(one) for one in ids[:2]),
        last=int(ids[-1]),
        last_learned=int(labels[learned[-1]]) if len(learned) else None,
    )


def _special(tokenizer: Any) -> dict[int, str]:
    """Return the special tokens and those that were added: none of them is a piece of a word."""
    if tokenizer is None:
        return {}
    ids = {int(one) for one in getattr(tokenizer, "all_special_ids", ())}
    added: dict[str, int] = getattr(tokenizer, "get_added_vocab", dict)()
    return {one: str(tokenizer.convert_ids_to_tokens(one)) for one in sorted(ids)} | {
        int(number): str(name) for name, number in added.items()
    }


def _adds_begin(tokenizer: Any) -> Any:
    begin = getattr(tokenizer, "bos_token_id", None)
    if begin is None:
        return UNKNOWN
    with asking(tokenizer):
        return tokenizer("a")["input_ids"][:1] == [begin]


def _template_begins(tokenizer: Any) -> Any:
    begin, template = (
        getattr(tokenizer, "bos_token", None),
        getattr(tokenizer, "chat_template", None),
    )
    if not begin or not isinstance(template, str):
        return UNKNOWN
    return "bos_token" in template or begin in template


def _marker(collator: Any, tokenizer: Any, rows: dict[int, list[int]]) -> dict[str, Any]:
    """Return what there is to say of the text by which a collator finds the answer."""
    given = getattr(collator, "response_template", None)
    ids = getattr(collator, "response_token_ids", None)
    if tokenizer is None or given is None:
        return {}
    text = given if isinstance(given, str) else str(tokenizer.decode(list(given)))
    if ids is None and given is text:
        with asking(tokenizer):
            ids = tokenizer.encode(text, add_special_tokens=False)
    ids = [int(one) for one in (given if ids is None else ids)]
    reads = [row for row, held in rows.items() if text.strip() in str(tokenizer.decode(held))]
    marked = tuple(row for row, held in rows.items() if _place(ids, held) is not None)
    context: list[int] = []
    for row in reads:
        context = _in_context(text.strip(), rows[row], tokenizer)
        if context:
            break
    return {
        "marker": text,
        "marker_ids": tuple(ids),
        "marked": marked,
        "reads": tuple(reads),
        "in_context": tuple(context),
    }


def _place(part: list[int], held: list[int]) -> int | None:
    """Return where some ids stand in others."""
    width = len(part)
    places = range(len(held) - width + 1)
    return next((n for n in places if width and held[n : n + width] == part), None)


def _in_context(text: str, held: list[int], tokenizer: Any) -> list[int]:
    """Return the fewest tokens of a row in which a text stands, the last of them first found."""
    ends = (n for n in range(1, len(held) + 1) if text in str(tokenizer.decode(held[:n])))
    end = next(ends, None)
    if end is None:
        return []
    start = end
    while start and text not in str(tokenizer.decode(held[start:end])):
        start -= 1
    return held[start:end]
