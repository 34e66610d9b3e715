"""The tokenizer that makes the model's inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import UNKNOWN, Fact


@dataclass(frozen=True, repr=False, eq=False)
class Tokenizer(Fact):
    """
    Size and special tokens; an id is None where the tokenizer has no such token.

    `size` counts added tokens too (`len(tokenizer)`); `max_length` is None where no limit is set.
    """

    doing = "Loading the tokenizer"

    name: str
    size: int
    max_id: int = UNKNOWN
    pad_id: int | None = UNKNOWN
    max_length: int | None = UNKNOWN

    def summary(self) -> Mapping[str, object]:
        """Tell name and size."""
        return {"name": self.name, "size": self.size}
