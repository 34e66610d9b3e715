from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import Checkpoint

_CONVERT = (
    "convert it where transformers < 5 is installed: "
    "AutoModel.from_pretrained(folder, from_{}=True).save_pretrained(folder)"
)
_FOREIGN = {
    "tf_model.h5": ("TensorFlow", _CONVERT.format("tf")),
    "flax_model.msgpack": ("Flax", _CONVERT.format("flax")),
}
_CKPT = (
    "TensorFlow 1",
    "convert it with the script of the model's family in transformers < 5, convert_*_tf_*.py",
)


@check(
    "CKP037",
    Severity.ERROR,
    stage=Stage.CHECKPOINT,
    symptoms={
        r"Error no file named model\.safetensors, or pytorch_model\.bin": (
            "see what the folder holds: `pipedoctor checkpoint FOLDER`"
        )
    },
)
def weights_of_another_framework(checkpoint: Checkpoint) -> Iterator[Finding]:
    """
    The folder of the model holds weights, but none that `from_pretrained` reads.

    It looks for `model.safetensors` and `pytorch_model.bin`, whole or in shards. Weights of
    TensorFlow and Flax were converted on the way by transformers 4; version 5 says that there is
    no file. Those of llama.cpp (GGUF) are read if the file is named.

    Fails:

        files = {
            "saved": {
                "kind": "model",
                "config": {"model_type": "bert"},
                "files": {"tf_model.h5": {"format": "HDF5"}},
                "missing": ["model.safetensors"],
            }
        }

    Passes:

        files = {
            "saved": {
                "kind": "model",
                "config": {"model_type": "bert"},
                "files": {
                    "tf_model.h5": {"format": "HDF5"},
                    "model.safetensors": {"tensors": {"a": ("F32", (4, 4))}},
                },
            }
        }
    """
    if checkpoint.kind != "model" or checkpoint.weights or not checkpoint.known("config"):
        return
    for file in checkpoint.files:
        name, folder = file.name, checkpoint.path
        if name in _FOREIGN:
            framework, cure = _FOREIGN[name]
        elif name.endswith(".ckpt.index"):
            framework, cure = _CKPT
        elif name.endswith(".gguf"):
            framework = "llama.cpp"
            cure = f'AutoModelForCausalLM.from_pretrained("{folder}", gguf_file="{name}")'
        else:
            continue
        yield Finding(
            message=f"{folder} has weights of {framework} ({name}) and none that from_pretrained "
            "reads: neither model.safetensors nor pytorch_model.bin",
            where=Location(file=file.path),
            evidence={"file": name, "framework": framework, "missing": list(checkpoint.missing)},
            remedy=cure,
        )
        return
