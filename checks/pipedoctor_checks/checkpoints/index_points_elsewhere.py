from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.checkpoints.contents import FlawKind
from pipedoctor.facts import Checkpoint
from pipedoctor_checks.checkpoints import _stored


@check("CKP035", Severity.ERROR, stage=Stage.CHECKPOINT)
def index_points_elsewhere(checkpoint: Checkpoint) -> Iterator[Finding]:
    """
    The index looks for tensors in files that don't hold them, or outside the folder.

    Transformers loads what it finds and starts the rest with random numbers; only a table in the
    log says so. Shards of two saves that were mixed look like this. A name that leaves the folder
    makes it read somebody else's file.

    Fails:

        files = {
            "saved": {
                "config": {"model_type": "llama"},
                "files": {
                    "model.safetensors.index.json": {
                        "format": "index of safetensors files",
                        "flaws": [
                            ("misplaced", "model-00001-of-00001.safetensors does not hold b", "b")
                        ],
                    },
                    "model-00001-of-00001.safetensors": {"tensors": {"a": ("F32", (4, 4))}},
                },
                "weight_map": {
                    "a": "model-00001-of-00001.safetensors",
                    "b": "model-00001-of-00001.safetensors",
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
    for file, found in _stored.flawed(checkpoint, FlawKind.MISPLACED, FlawKind.OUTSIDE):
        # A tensor that is in a file and not in the index is loaded with its file.
        listed = checkpoint.weight_map if checkpoint.known("weight_map") else {}
        flaws = tuple(f for f in found if f.kind is FlawKind.OUTSIDE or f.tensor in listed)
        if not flaws:
            continue
        outside = flaws[0].kind is FlawKind.OUTSIDE
        effect = "" if outside else "; from_pretrained starts these with random numbers"
        yield Finding(
            message=f"{file.name}: {_stored.told(flaws)}{effect}",
            where=_stored.place(file, flaws[0]),
            evidence=_stored.evidence(file, flaws),
            remedy="take the index and its files from one place"
            if outside
            else "save the model anew with save_pretrained, or fetch index and shards of one save",
        )
