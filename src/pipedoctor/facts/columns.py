"""The columns of the data, and which of them reach the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import UNKNOWN, Fact
from pipedoctor.finding import NOWHERE, Location

_COMPANIONS = frozenset(
    {
        "attention_mask",
        "decoder_attention_mask",
        "global_attention_mask",
        "head_mask",
        "length",
        "position_ids",
        "special_tokens_mask",
        "token_type_ids",
    }
)
"""What goes with a model's inputs, and is none by itself."""


@dataclass(frozen=True, repr=False, eq=False)
class Columns(Fact):
    """
    The columns of the data that the trainer gets.

    `types` maps each name to its type in the words of Arrow ("int64", "string", "list<int64>").
    `accepted` are the names that the model's forward takes, labels included; `filtered` says
    whether Trainer drops the other columns (`remove_unused_columns`).
    """

    doing = "Loading the data"
    per_split = True

    types: Mapping[str, str]
    accepted: tuple[str, ...] = UNKNOWN
    filtered: bool = UNKNOWN
    where: Location = NOWHERE
    transform: str | None = None

    @property
    def kept(self) -> tuple[str, ...]:
        """The columns that are left after the filter."""
        if not self.filtered:
            return tuple(self.types)
        return tuple(name for name in self.types if name in self.accepted)

    @property
    def dropped(self) -> tuple[str, ...]:
        """The columns that the filter takes away."""
        return tuple(name for name in self.types if name not in self.kept)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns left after the filter that are inputs: no labels, no masks."""
        return tuple(name for name in self.kept if is_input(name))

    @property
    def texts(self) -> tuple[str, ...]:
        """The columns of text, or of lists of words."""
        return tuple(name for name, kind in self.types.items() if "string" in kind)

    @property
    def numbered(self) -> tuple[str, ...]:
        """The columns of lists of integers, as a tokenizer makes them."""
        return tuple(
            name for name, kind in self.types.items() if "list" in kind.lower() and "int" in kind
        )

    def summary(self) -> Mapping[str, object]:
        """Tell the names."""
        return {"columns": list(self.types)}


def is_input(name: str) -> bool:
    """Whether a model's argument of this name is an input, and no label or mask."""
    return (
        name not in _COMPANIONS
        and "label" not in name
        and not name.endswith(("start_positions", "end_positions"))
    )
