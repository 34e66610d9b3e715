from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.checkpoints import naming
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
    held, stem = file.contents.format.lower(), file.path.rpartition(".")[0]
    if "safetensors" in held:
        new = file.path.replace("pytorch_model.bin", "model.safetensors")
        return f"mv {file.path} {new if new != file.path else stem + '.safetensors'}"
    if held == "keras archive":
        return f"mv {file.path} {stem}.keras"
    if "pytorch" in held and file.contents.tensors:
        folder, _, name = file.path.rpartition("/")
        old = f"{folder}/pytorch_model.bin" if name == "model.safetensors" else f"{stem}.bin"
        old = old.removeprefix("/") if not folder else old
        return f"mv {file.path} {old} && pipedoctor checkpoint {old} --convert {file.path}"
    return "give it the name of its format, or save it anew as what its name says"
