"""What really enters the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipedoctor.fact import UNKNOWN, Fact


@dataclass(frozen=True)
class Array:
    """An array of a batch: its shape, and its dtype as torch and numpy name it ("int64")."""

    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, repr=False, eq=False)
class Batch(Fact):
    """
    The batches that the collator made of the first rows and of the two longest.

    `arrays` describes the first of them. `length` is the longest sequence met in any of them, in
    tokens, padding included; `unpadded` the longest without padding. `max_id` and `min_id` are
    the extremes of `input_ids`. `rows` counts the rows that went through the collator.
    """

    doing = "Making a batch"
    per_split = True

    arrays: Mapping[str, Array]
    rows: int
    length: int = UNKNOWN
    unpadded: int = UNKNOWN
    longest_row: int = UNKNOWN
    max_id: int = UNKNOWN
    min_id: int = UNKNOWN
    ids_rows: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    """For the extreme ids: the rows that hold them."""
    padded_share: float = UNKNOWN
    own_loss: bool = False
    """Whether the trainer makes the loss by a method of its own, which may need no labels."""

    @property
    def labels(self) -> Array | None:
        """The labels, if the batch has any."""
        return self.arrays.get("labels")

    def summary(self) -> Mapping[str, object]:
        """Tell what was seen: proof that it ran."""
        told: dict[str, object] = {"rows": self.rows}
        for name in ("length", "padded_share"):
            if self.known(name):
                told[name] = getattr(self, name)
        return told
