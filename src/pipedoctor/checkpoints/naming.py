"""Files whose names promise another format than they hold: loaders go by the name."""

from __future__ import annotations

from pipedoctor.checkpoints.contents import FlawKind, Verdict
from pipedoctor.facts.checkpoint import StoredFile

TORCH = (".bin", ".pt", ".pth")
"""What `torch.load` is tried on."""

HDF5 = (".h5", ".hdf5")
"""What Keras opens as HDF5, whatever it is."""

OTHERS = ("gguf", "hdf5", "keras", "safetensors")
"""The formats, by a word of their names, that it reads under no such name."""


def misnamed(file: StoredFile) -> str:
    """Return what a loader that goes by a file's name raises, "" where the name is right."""
    contents = file.contents
    told = {FlawKind.NOT_A_CHECKPOINT, FlawKind.TRUNCATED}
    if file.index or contents.verdict is Verdict.UNSAFE or not file.size:
        return ""
    if any(flaw.kind in told for flaw in contents.flaws):
        return ""  # what it is instead is told by itself
    held = contents.format.lower()
    if file.name.endswith(".safetensors") and "safetensors" not in held:
        return "SafetensorError: Error while deserializing header: header too large"
    if file.name.endswith(HDF5) and held == "keras archive":
        return "OSError: Unable to synchronously open file (file signature not found)"
    if file.name.endswith(TORCH) and any(word in held for word in OTHERS):
        return "UnpicklingError: Weights only load failed"
    return ""
