from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.checkpoints.contents import FlawKind
from pipedoctor.facts import Checkpoint
from pipedoctor_checks.checkpoints import _stored


@check(
    "CKP034",
    Severity.ERROR,
    stage=Stage.CHECKPOINT,
    symptoms={
        r"No such file or directory: .*-\d{5}-of-\d{5}\.(safetensors|bin)": (
            "the index names a file that is not there: download or copy the missing one"
        )
    },
)
def shard_missing(checkpoint: Checkpoint) -> Iterator[Finding]:
    """
    An index names files that are not there, so the weights can't be loaded.

    Large models are saved in several files and an index that says which tensor is in which. A
    download that stopped, or a copy that left one out, is found when everything else has been
    read.

    Fails:

        files = {
            "saved": {
                "config": {"model_type": "llama"},
                "files": {
                    "model.safetensors.index.json": {
                        "format": "index of safetensors files",
                        "flaws": [("missing file", "model-00002-of-00002.safetensors is missing")],
                    },
                    "model-00001-of-00002.safetensors": {"tensors": {"a": ("F32", (4, 4))}},
                },
            }
        }

    Passes:

        files = {
            "saved": {
                "config": {"model_type": "llama"},
                "files": {
                    "model.safetensors.index.json": {"format": "index of safetensors files"},
                    "model-00001-of-00001.safetensors": {"tensors": {"a": ("F32", (4, 4))}},
                },
                "weight_map": {"a": "model-00001-of-00001.safetensors"},
            }
        }
    """
    for file, flaws in _stored.flawed(checkpoint, FlawKind.MISSING_FILE):
        yield Finding(
            message=f"{file.name}: {_stored.told(flaws)}",
            where=_stored.place(file),
            evidence=_stored.evidence(file, flaws),
            remedy="download or copy what is missing, or save the model anew; "
            "`hf download` goes on where a download stopped",
        )
