"""A model's files as they lie on the disk, from their headers only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from pipedoctor.fact import UNKNOWN, Fact

HEADS = (
    "classifier.weight",
    "classifier.out_proj.weight",
    "classification_head.out_proj.weight",
    "score.weight",
    "logits_proj.weight",
)
"""The last layer of the classifiers of Transformers, each under the name its family gives it."""


@dataclass(frozen=True)
class Tensor:
    """One tensor of a weights file: its shape, and its dtype as safetensors writes it (F32)."""

    shape: tuple[int, ...]
    dtype: str

    @property
    def size(self) -> int:
        """The number of elements."""
        return prod(self.shape)

    @property
    def floating(self) -> bool:
        """Whether the elements are floating-point numbers."""
        return "F" in self.dtype


@dataclass(frozen=True, repr=False, eq=False)
class ModelFiles(Fact):
    """
    The folder of a pretrained model: `config.json` and the header of its weights.

    `name` is the name as the user wrote it, `path` the folder that it stands for. `tensors` is
    `UNKNOWN` where the weights are missing or in a format whose header can't be read.
    """

    doing = "Reading the model's files"

    name: str
    path: str
    config: Mapping[str, object]
    tensors: Mapping[str, Tensor] = UNKNOWN
    weights_bytes: int = UNKNOWN
    weights_files: tuple[str, ...] = ()
    tokenizer_config: Mapping[str, object] = UNKNOWN
    tokenizer_bytes: int = UNKNOWN
    """The size of the tokenizer's files, which are copied into every checkpoint."""

    @property
    def architecture(self) -> str | None:
        """The first class named in `architectures`, such as "BertModel"."""
        named = self.config.get("architectures")
        return str(named[0]) if isinstance(named, list) and named else None

    @property
    def parameters(self) -> int:
        """The number of elements of all floating-point tensors."""
        return sum(t.size for t in self.tensors.values() if t.floating)

    def number(self, key: str) -> int:
        """Return an integer of config.json, or raise `Unavailable`."""
        from pipedoctor.fact import Unavailable

        value = self.config.get(key)
        if isinstance(value, bool) or not isinstance(value, int):
            raise Unavailable(f"config.json of {self.name} states no {key}")
        return value

    def summary(self) -> Mapping[str, object]:
        """Tell name, class and size."""
        told: dict[str, object] = {"name": self.name, "architecture": self.architecture}
        if self.known("tensors"):
            told["parameters"] = self.parameters
        return told
