from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Checkpoint
from pipedoctor_checks.checkpoints import _stored

_PAIRS = (
    ("model.safetensors", "model.safetensors.index.json"),
    ("pytorch_model.bin", "pytorch_model.bin.index.json"),
)


@check("CKP038", Severity.WARNING, stage=Stage.CHECKPOINT)
def index_beside_whole_weights(checkpoint: Checkpoint) -> Iterator[Finding]:
    """
    Weights in one file and weights in shards lie in one folder; only the one file is loaded.

    `from_pretrained` takes the whole file and never looks at the index. A model that was saved
    again in shards, into a folder with an older save in it, comes back as the older one.

    Fails:

        files = {
            "saved": {
                "config": {"model_type": "llama"},
                "files": {
                    "model.safetensors": {"tensors": {"a": ("F32", (4, 4))}},
                    "model.safetensors.index.json": {"format": "index of safetensors files"},
                },
            }
        }

    Passes:

        files = {
            "saved": {
                "config": {"model_type": "llama"},
                "files": {"model.safetensors": {"tensors": {"a": ("F32", (4, 4))}}},
            }
        }
    """
    names = {file.name: file for file in checkpoint.files}
    for whole, index in _PAIRS:
        if checkpoint.kind != "file" and whole in names and index in names:
            yield Finding(
                message=f"{whole} and {index} lie in one folder: {whole} is loaded, and the shards "
                "that the index names are not",
                where=_stored.place(names[index]),
                evidence={"loaded": whole, "ignored": index},
                remedy=f"delete {whole} if the shards are the newer ones, else the index and its "
                "shards",
            )
