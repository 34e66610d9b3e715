"""What makes from_pretrained load weights in 16 bits, by the settings and the files of the model."""

from __future__ import annotations

from pipedoctor import Unavailable
from pipedoctor.facts import ModelFiles, Settings
from pipedoctor.probes import habits

FLOAT16 = frozenset({"float16", "fp16", "half", "torch.float16"})
BFLOAT16 = frozenset({"bfloat16", "bf16", "torch.bfloat16"})


def loaded_as(settings: Settings, files: ModelFiles) -> tuple[str, str] | None:
    """
    Return "float16" or "bfloat16", and what makes the weights that; None if nothing does.

    Raises:
        Unavailable: It is not known whether this release keeps the type of a checkpoint.

    """
    for key in ("dtype", "torch_dtype"):
        stated = settings.stated.get(key)
        if stated is not None and stated != "auto":
            kind = _kind(stated)
            return None if kind is None else (kind, f'{key} is "{stated}"')
    automatic = "auto" in {settings.stated.get("dtype"), settings.stated.get("torch_dtype")}
    keeps = habits.KEEPS_DTYPE.known(settings.arguments.version)
    if not automatic and keeps is None:
        raise habits.KEEPS_DTYPE.unknown(settings.arguments.version)
    if not automatic and not keeps:
        return None  # float32, whatever the files hold
    for key in ("dtype", "torch_dtype"):
        said = files.config.get(key)
        if said is not None:  # the config decides, whatever the tensors are
            kind = _kind(said)
            return None if kind is None else (kind, f'its config.json says {key} "{said}"')
    # Else the first tensor of a floating type decides for all.
    first = next((t.dtype for t in files.tensors.values() if t.floating), None)
    kind = {"F16": "float16", "BF16": "bfloat16"}.get(str(first))
    if kind is None:
        return None
    return kind, f"its weights are {first} and its config.json says no dtype"


def demand_files(files: ModelFiles | None) -> ModelFiles:
    """Return the files, or raise `Unavailable`."""
    if files is None:
        raise Unavailable("neither the model nor its files are known")
    return files


def _kind(said: object) -> str | None:
    if str(said) in FLOAT16:
        return "float16"
    return "bfloat16" if str(said) in BFLOAT16 else None
