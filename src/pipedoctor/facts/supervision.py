"""What the rows of a language model's batches are taught: where they begin, end, and learn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import UNKNOWN, Fact


@dataclass(frozen=True)
class TaughtRow:
    """
    A row of a batch: its tokens, padding not counted, and those that have a label.

    `first` are its first two tokens, `last` is its last one, `last_learned` the last token that
    has a label; None if none has.
    """

    row: int
    tokens: int
    learned: int
    first: tuple[int, ...]
    last: int
    last_learned: int | None

    @property
    def in_part(self) -> bool:
        """Whether a part of the row is left out of the loss, as the prompt before an answer."""
        return 0 < self.learned < self.tokens - 1


@dataclass(frozen=True, repr=False, eq=False)
class Supervision(Fact):
    """
    The rows of the first batch and the longest ones, as they reach a model of tokens.

    `special` are the ids of the special and of the added tokens, with their names. `marker` is
    the text that the collator looks for to tell where an answer begins, `marked` the rows that
    hold its tokens, `reads` those in whose text it stands; `in_context` its tokens as they are
    there. `collator` is its name.
    """

    doing = "Looking at what the rows are taught"
    per_split = True

    rows: tuple[TaughtRow, ...]
    special: Mapping[int, str]
    begin: int | None = None
    end: int | None = None
    pad: int | None = None
    collator: str = ""
    marker: str | None = None
    marker_ids: tuple[int, ...] = ()
    marked: tuple[int, ...] = ()
    reads: tuple[int, ...] = ()
    in_context: tuple[int, ...] = ()
    adds_begin: bool = UNKNOWN
    """Whether the tokenizer puts the begin token before every text."""
    template_begins: bool = UNKNOWN
    """Whether the chat template writes the begin token."""

    def summary(self) -> Mapping[str, object]:
        """Tell rows, tokens and labels."""
        return {
            "rows": len(self.rows),
            "tokens": sum(row.tokens for row in self.rows),
            "learned": sum(row.learned for row in self.rows),
        }
