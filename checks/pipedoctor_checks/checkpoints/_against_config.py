"""What the checks share that hold the weights of a model against its config.json."""

from __future__ import annotations

from pipedoctor.facts import Checkpoint, StoredFile


def holder(checkpoint: Checkpoint, name: str) -> StoredFile:
    """Return the file that holds a tensor."""
    held = [file for file in checkpoint.weights if not file.index]
    return next((file for file in held if name in file.contents.tensors), held[0])
