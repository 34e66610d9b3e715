"""What the checks share that hold the weights of a model against its config.json."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipedoctor.facts import Checkpoint, StoredFile
from pipedoctor.facts.model_files import Tensor

EMBEDDINGS = (
    "embeddings.word_embeddings.weight",
    "embed_tokens.weight",
    "wte.weight",
    "shared.weight",
    "word_embedding.weight",
    "embed_in.weight",
)
"""The table of the tokens, under the name that each family of Transformers gives it."""


def plain(checkpoint: Checkpoint) -> bool:
    """
    Whether the config speaks of one model whose tensors have the shapes that it states.

    Those of several models have a config in the config for each; quantised ones are packed.
    """
    if checkpoint.kind not in {"model", "trainer"} or checkpoint.adapter:
        return False
    config = checkpoint.config
    parts = any(isinstance(v, dict) and "model_type" in v for v in config.values())
    return "model_type" in config and "quantization_config" not in config and not parts


def embeddings(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Yield the tables of the tokens."""
    for name, tensor in tensors.items():
        if len(tensor.shape) == 2 and any(
            name == end or name.endswith(f".{end}") for end in EMBEDDINGS
        ):
            yield name, tensor


def holder(checkpoint: Checkpoint, name: str) -> StoredFile:
    """Return the file that holds a tensor."""
    held = [file for file in checkpoint.weights if not file.index]
    return next((file for file in held if name in file.contents.tensors), held[0])
