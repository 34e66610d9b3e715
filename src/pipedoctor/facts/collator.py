"""The function that makes a batch of rows."""

from __future__ import annotations

from dataclasses import dataclass

from pipedoctor.fact import UNKNOWN, Fact


@dataclass(frozen=True, repr=False, eq=False)
class Collator(Fact):
    """
    What a collator does with columns of unequal length.

    `pads` are the columns that it brings to one length; it is `UNKNOWN` for a function of the
    user's own. `renames` says whether `label` and `label_ids` become `labels`.
    """

    doing = "Looking at the collator"

    name: str
    pads: frozenset[str] = UNKNOWN
    renames: bool = UNKNOWN
    makes_labels: bool = UNKNOWN
    """Whether it makes labels of the inputs, as a language model's collator does."""
