"""Facts of data, labels, heads and models for corner tests, made by hand in a line each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from pipedoctor.facts import (
    Array,
    Batch,
    Collator,
    Columns,
    Forward,
    Head,
    Labels,
    Model,
    Parameter,
    Samples,
    Tokenizer,
)
from pipedoctor.finding import Location

KINDS = {bool: "bool", int: "int", float: "float", str: "text"}


def labels(values: Iterable[Any], **known: Any) -> Labels:
    """Return the fact of these labels, one a row, as a probe would count them."""
    values = list(values)
    examples: dict[Any, tuple[int, ...]] = {}
    for row, value in enumerate(values):
        examples[value] = (*examples.get(value, ()), row)[:3]
    kind = KINDS[type(values[0])] if values else "int"
    told = {"column": "label", "kind": kind, "rows": len(values)}
    counted = {"counts": dict(Counter(values)), "examples": examples}
    return Labels(**told | counted | known)


def multi_hot(rows: list[list[Any]], **known: Any) -> Labels:
    """Return the fact of several labels a row."""
    counts = dict(Counter(value for row in rows for value in row))
    kind = KINDS[type(rows[0][0])]
    told = {"column": "labels", "kind": kind, "rows": len(rows), "width": len(rows[0])}
    return Labels(**told | {"counts": counts} | known)


def head(outputs: int, **known: Any) -> Head:
    return Head(outputs, **{"origin": Location(key="num_labels")} | known)


def columns(accepted: str = "input_ids attention_mask labels label", **types: str) -> Columns:
    """Return the columns of these types, before the filter of a model that takes these names."""
    return Columns(types, tuple(accepted.split()), filtered=True)


def batch(labels: str | None = "int64", **known: Any) -> Batch:
    """Return a batch of four rows whose labels have this dtype."""
    arrays = {"input_ids": Array((4, 8), "int64")}
    if labels is not None:
        arrays["labels"] = Array((4,), labels)
    return Batch(**{"arrays": arrays, "rows": 6} | known)


def collator(*pads: str, name: str = "DataCollatorWithPadding") -> Collator:
    return Collator(name, pads=frozenset(pads))


OWN = Collator("my_collator")
"""A collator of the user's own, of which nothing is known."""


def samples(lengths: Mapping[str, tuple[int, ...]], *more: str, **missing: Any) -> Samples:
    """Return rows with sequences of these lengths, and with these other columns."""
    count = len(next(iter(lengths.values()), (0,)))
    return Samples(tuple(range(count)), (*lengths, *more), dict(lengths), missing)


def model(name: str = "BertForSequenceClassification", **known: Any) -> Model:
    """Return a model that takes ids and labels."""
    told: dict[str, Any] = {
        "parameters": {},
        "accepts": ("input_ids", "attention_mask", "labels", "label", "label_ids"),
        "label_names": ("labels",),
        "embedding_rows": 100,
        "decoder_only": False,
        "pad_id": 0,
    }
    return Model(**{"name": name} | told | known)


def table(name: str, rows: int, width: int = 16) -> dict[str, Parameter]:
    """Return a model's parameters: one table of this size."""
    return {name: Parameter((rows, width), "float32", trainable=True)}


def tokenizer(size: int, **known: Any) -> Tokenizer:
    return Tokenizer(**{"name": "tokenizer", "size": size, "pad_id": 0} | known)


def forward(loss: float, row_losses: Iterable[float] | None = None, **known: Any) -> Forward:
    """Return the answer to a batch of eight rows, each with this loss."""
    each = tuple(row_losses) if row_losses is not None else (loss,) * 8
    told: dict[str, Any] = {
        "rows": tuple(range(len(each))),
        "outputs": ("loss", "logits"),
        "row_losses": each,
    }
    return Forward(loss=loss, **told | known)
