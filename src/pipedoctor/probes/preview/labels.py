"""The labels of a batch: whether they belong to rows or to tokens, and how they are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipedoctor.fact import Split
from pipedoctor.facts.head import MULTI, REGRESSION, Head
from pipedoctor.facts.labels import IGNORED, Labels
from pipedoctor.facts.model import Model
from pipedoctor.pipeline import Pipeline
from pipedoctor.probes.preview.arrays import described, to_numpy

PER_ROW, PER_TOKEN, VOCABULARY = "row", "token", "vocabulary"
SEQUENCE, SPAN = "sequence", "span"
"""
What the labels are: one (or a list) a row; a class for each token; a token of the vocabulary for
each token; a sequence of tokens of its own; the first and the last token of an answer.
"""

SPAN_NAMES = ("start_positions", "end_positions")

USUAL = ("labels", "label", "label_ids")

ALIKE = 0.9
"""Labels of which this share are the tokens themselves, or their neighbours, are tokens."""


@dataclass(frozen=True)
class Reading:
    """How the labels of a split are to be read."""

    name: str | None
    form: str = PER_ROW
    names: Mapping[int, str] = field(default_factory=dict)
    multi: bool = False
    regression: bool = False
    generates: bool = False
    """Whether the model is to learn where a text ends."""

    @property
    def arrays(self) -> tuple[str, ...]:
        """The arrays that hold the labels."""
        if self.form == SPAN:
            return SPAN_NAMES
        return () if self.name is None else (self.name,)

    def of_row(self, value: Any) -> dict[str, Any]:
        """Return the label of a row as a record, with the names of its classes."""
        array = to_numpy(value)
        if array is None:
            return described(value)
        if array.ndim == 0 and array.dtype.kind in "biu":
            number = int(array)
            return {"class": number} | (
                {"name": self.names[number]} if number in self.names else {}
            )
        if array.ndim == 1 and self.multi and array.size == len(self.names or array):
            active = [int(place) for place in array.nonzero()[0]]
            found = {"active": active, "width": int(array.size)}
            return found | ({"names": [self.names[n] for n in active]} if self.names else {})
        return described(value)


def read(pipeline: Pipeline, split: Split, arrays: Mapping[str, Any]) -> Reading:
    """Find out how the labels of a batch are to be read."""
    known, head = pipeline.optional(Model), pipeline.optional(Head)
    stated = known.label_names if known is not None and known.known("label_names") else ()
    name = next((n for n in (*USUAL, *stated) if n in arrays), None)
    names = label_names(pipeline, split)
    if name in {None, *SPAN_NAMES} and all(_one_a_row(arrays.get(n)) for n in SPAN_NAMES):
        return Reading(SPAN_NAMES[0], SPAN)
    if name is None:
        return Reading(None, names=names)
    labels, ids = to_numpy(arrays[name]), to_numpy(arrays.get("input_ids"))
    problem = head.problem_type if head is not None and head.known("problem_type") else None
    kinds = {"multi": problem == MULTI, "regression": problem == REGRESSION}
    if labels is None or labels.ndim != 2 or labels.dtype.kind not in "iu":
        return Reading(name, PER_ROW, names, **kinds)
    config = getattr(pipeline.parts.get("model"), "config", None)
    if getattr(config, "is_encoder_decoder", False):
        return Reading(name, SEQUENCE, generates=True)
    if ids is None or ids.shape != labels.shape or (head is not None and not head.per_token):
        return Reading(name, PER_ROW, names, **kinds)
    if _of_vocabulary(known, head, ids, labels):
        causal = known is not None and known.known("decoder_only") and known.decoder_only
        return Reading(name, VOCABULARY, generates=causal)
    return Reading(name, PER_TOKEN, names)


def _one_a_row(value: Any) -> bool:
    return getattr(value, "ndim", 0) == 1


def label_names(pipeline: Pipeline, split: Split) -> Mapping[int, str]:
    """Return the names of the classes, from the model's config or else from the data."""
    head, labels = pipeline.optional(Head), pipeline.optional(Labels, split)
    if head is not None and head.names:
        return head.names
    return labels.names if labels is not None else {}


def _of_vocabulary(known: Model | None, head: Head | None, ids: Any, labels: Any) -> bool:
    if head is not None and known is not None and known.known("embedding_rows"):
        return head.outputs == known.embedding_rows
    return shift(ids, labels) is not None


def shift(ids: Any, labels: Any) -> int | None:
    """
    Return by how many places labels stand before their tokens: 0 or 1, None if they do not.

    The places where a neighbour is the same token tell nothing and are left out.
    """
    taught = labels != IGNORED
    for places in (0, 1):
        width = ids.shape[1] - places
        if width < 1:
            break
        where = taught[:, :width]
        if places:
            where = where & (ids[:, :-1] != ids[:, 1:])
        if where.any() and (labels[:, :width] == ids[:, places:])[where].mean() >= ALIKE:
            return places
    return None
