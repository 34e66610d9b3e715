import os
import shlex
from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.checkpoints import naming
from pipedoctor.checkpoints.contents import Family
from pipedoctor.facts import Checkpoint, Resumable, StoredFile
from pipedoctor_checks.checkpoints import _stored


@check("CKP042", Severity.ERROR, stage=Stage.CHECKPOINT)
def format_other_than_the_suffix(
    checkpoint: Checkpoint, resumable: Resumable | None
) -> Iterator[Finding]:
    """
    The name of a file promises another format than it holds, and loaders go by the name.

    `torch.save(model.state_dict(), "model.safetensors")` writes a pickle under a name that
    `from_pretrained`, and `torch.load` from 2.13 on, give to safetensors: "header too large". The
    other way round, `torch.load` takes safetensors named .bin for a pickle.

    Fails:

        files = {
            "saved": {
                "config": {"model_type": "bert"},
                "files": {
                    "model.safetensors": {
                        "format": "PyTorch zip archive",
                        "size": 114218,
                        "tensors": {"bert.pooler.dense.weight": ("F32", (768, 768))},
                    }
                },
            }
        }

    Passes:

        files = {
            "saved": {
                "config": {"model_type": "bert"},
                "files": {
                    "pytorch_model.bin": {
                        "format": "PyTorch zip archive",
                        "size": 114218,
                        "tensors": {"bert.pooler.dense.weight": ("F32", (768, 768))},
                    }
                },
            }
        }
    """
    for file in checkpoint.weights:
        error = naming.misnamed(file)
        if not error or (resumable is not None and resumable.tells_of(checkpoint, file.name)):
            continue
        yield Finding(
            message=f"{file.name} is no {_promised(file)} but a {file.contents.format}: what goes "
            f"by its name ends with {error}",
            where=_stored.place(file),
            evidence={**_stored.evidence(file), "error": error},
            remedy=_cure(file),
            severity=Severity.WARNING if checkpoint.kind == "file" else None,
        )


def _promised(file: StoredFile) -> str:
    if file.name.endswith(naming.HDF5):
        return "HDF5 file"
    return "safetensors file" if file.name.endswith(".safetensors") else "file of PyTorch"


def _cure(file: StoredFile) -> str:
    """Return what makes name and content one: renamed, or written as what the name says."""
    family, path = file.contents.family, _word(file.path)
    folder, name = os.path.split(file.path)
    stem = os.path.splitext(name)[0]
    if family is Family.SAFETENSORS:
        new = "model" if name == "pytorch_model.bin" else stem
        return f"mv {path} {_word(os.path.join(folder, f'{new}.safetensors'))}"
    if family is Family.KERAS:
        return f"mv {path} {_word(os.path.join(folder, f'{stem}.keras'))}"
    if family is Family.TORCH and file.contents.tensors:
        new = "pytorch_model" if name == "model.safetensors" else stem
        old = _word(os.path.join(folder, f"{new}.bin"))
        return f"mv {path} {old} && pipedoctor checkpoint {old} --convert {path}"
    return "give it the name of its format, or save it anew as what its name says"


def _word(path: str) -> str:
    """Return a path as one word of a command, which is never taken for an option."""
    return shlex.quote(f"./{path}" if path.startswith("-") else path)
