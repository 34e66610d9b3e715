"""The model as it stands in memory before the first step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from pipedoctor.fact import UNKNOWN, Fact


@dataclass(frozen=True)
class Parameter:
    """One parameter: shape, dtype ("float32"), and whether training changes it."""

    shape: tuple[int, ...]
    dtype: str
    trainable: bool

    @property
    def size(self) -> int:
        """The number of elements."""
        return prod(self.shape)


@dataclass(frozen=True, repr=False, eq=False)
class Model(Fact):
    """
    The built model: its parameters by name, and what its forward takes.

    `new` are the parameters that the checkpoint did not hold, so that they start from random
    values; of a model that was made elsewhere, those whose numbers show how they were drawn.
    `embedding_rows` is the size of the input embedding, `positions` the longest sequence
    that the model has positions for (None: no limit), `pad_id` the pad token of its config.
    """

    doing = "Loading the model"

    name: str
    parameters: Mapping[str, Parameter]
    accepts: tuple[str, ...] = UNKNOWN
    new: frozenset[str] = UNKNOWN
    embedding_rows: int = UNKNOWN
    positions: int | None = UNKNOWN
    pad_id: int | None = UNKNOWN
    decoder_only: bool = UNKNOWN
    label_names: tuple[str, ...] = UNKNOWN
    """The arguments of forward that are labels; empty if the model computes no loss."""
    library: str = "torch"
    """What the model is built with, torch or Keras: a remedy is written in its words."""

    @property
    def size(self) -> int:
        """The number of elements of all parameters."""
        return sum(parameter.size for parameter in self.parameters.values())

    @property
    def trainable(self) -> int:
        """The number of elements that training changes."""
        return sum(p.size for p in self.parameters.values() if p.trainable)

    def summary(self) -> Mapping[str, object]:
        """Tell the size."""
        return {"name": self.name, "parameters": self.size, "trainable": self.trainable}
