"""Files whose names promise another format than they hold: loaders go by the name."""

from __future__ import annotations

from pipedoctor.checkpoints.contents import Family, FlawKind, Verdict
from pipedoctor.facts.checkpoint import StoredFile

TORCH = (".bin", ".pt", ".pth")
"""What `torch.load` is tried on."""

HDF5 = (".h5", ".hdf5")
"""What Keras opens as HDF5, whatever it is."""

OTHERS = (Family.GGUF, Family.HDF5, Family.KERAS, Family.KERAS_H5, Family.SAFETENSORS)
"""What it reads under no such name."""


def misnamed(file: StoredFile) -> str:
    """Return what a loader that goes by a file's name raises, "" where the name is right."""
    contents = file.contents
    told = {FlawKind.NOT_A_CHECKPOINT, FlawKind.TRUNCATED}
    if file.index or contents.verdict is Verdict.UNSAFE or not file.size:
        return ""
    if any(flaw.kind in told for flaw in contents.flaws):
        return ""  # what it is instead is told by itself
    if file.name.endswith(".safetensors") and contents.family is not Family.SAFETENSORS:
        return "SafetensorError: Error while deserializing header: header too large"
    if file.name.endswith(HDF5) and contents.family is Family.KERAS:
        return "OSError: Unable to synchronously open file (file signature not found)"
    if file.name.endswith(TORCH) and contents.family in OTHERS:
        return "UnpicklingError: Weights only load failed"
    return ""
