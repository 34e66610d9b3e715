"""What the collators of transformers pad, rename and make."""

from __future__ import annotations

from typing import Any

from pipedoctor.facts.collator import Collator

PADDED = frozenset({"input_ids", "attention_mask", "token_type_ids", "special_tokens_mask"})
"""What `tokenizer.pad` brings to one length; it leaves every other column as it is."""

LABELS = frozenset({"label", "labels"})

CALLS = ("__call__", "torch_call")
"""The methods in which a collator does its work."""


def describe(collator: Any) -> Collator:
    """Return what is known of a collator; of a function of the user's own, only its name."""
    from transformers import data

    name = getattr(collator, "__name__", type(collator).__name__)
    if collator is data.default_data_collator:
        return Collator(name, pads=frozenset(), renames=True, makes_labels=False)
    pads = (
        PADDED if getattr(collator, "padding", True) not in {False, "do_not_pad"} else frozenset()
    )
    if _works_as(collator, data.DataCollatorWithPadding):
        return Collator(name, pads=pads, renames=True, makes_labels=False)
    if _works_as(collator, data.DefaultDataCollator):
        return Collator(name, pads=frozenset(), renames=True, makes_labels=False)
    if _works_as(collator, data.DataCollatorForTokenClassification):
        # The labels are filled up to the length of the inputs whatever `padding` says.
        return Collator(name, pads=pads | LABELS, renames=False, makes_labels=False)
    if _works_as(collator, data.DataCollatorForSeq2Seq):
        labels = LABELS if pads else frozenset()
        return Collator(name, pads=pads | labels, renames=True, makes_labels=False)
    if _works_as(collator, data.DataCollatorForLanguageModeling):
        return Collator(name, pads=PADDED, renames=False, makes_labels=True)
    return Collator(name)


def _works_as(collator: Any, known: type) -> bool:
    """Whether a collator is of this class, and does not do its work in a way of its own."""
    if not isinstance(collator, known):
        return False
    return all(getattr(type(collator), call, None) is getattr(known, call, None) for call in CALLS)
