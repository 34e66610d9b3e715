"""The GPU that a training is planned for, by its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import Fact


@dataclass(frozen=True, repr=False, eq=False)
class NamedGpu(Fact):
    """What is known of a GPU that the user names; `bf16`: whether it multiplies bfloat16."""

    doing = "Reading the name of the GPU"

    name: str
    room: int
    bf16: bool

    def summary(self) -> Mapping[str, object]:
        """Tell the name."""
        return {"name": self.name}
