import re
import shlex
from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.checkpoints.file_loaders import quoted
from pipedoctor.facts import Checkpoint, Resumable, StoredFile
from pipedoctor.units import plural
from pipedoctor_checks.checkpoints import _stored

_INDEX = ".index.json"
_ADAPTER = "adapter_config.json"

_SIGNS = ("generation_config.json", "tokenizer_config.json")
"""What is saved beside a model of Transformers; a tokenizer also beside a module of one's own."""


@check(
    "CKP039",
    Severity.ERROR,
    stage=Stage.CHECKPOINT,
    symptoms={
        r"Can't find 'adapter_config\.json' at": "copy adapter_config.json beside the weights",
        r"Error no file named model\.safetensors, or pytorch_model\.bin, found in directory": (
            "the folder holds no weights, or shards without their index: `pipedoctor checkpoint` "
            "on it tells which"
        ),
    },
)
def needed_file_missing(checkpoint: Checkpoint, resumable: Resumable | None) -> Iterator[Finding]:
    """
    A file without which nothing loads the checkpoint is not in its folder.

    An adapter is its weights and adapter_config.json, and PEFT asks the hub for what it does not
    find: the error then speaks of a repository. Shards without their index are passed over, for
    the index alone says which tensor is in which file: "Error no file named model.safetensors".

    Fails:

        files = {
            "saved": {
                "kind": "adapter",
                "files": {
                    "adapter_model.safetensors": {
                        "tensors": {"base_model.model.q_proj.lora_A.weight": ("F32", (8, 64))},
                    }
                },
                "missing": ["adapter_config.json"],
            }
        }

    Passes:

        files = {
            "saved": {
                "kind": "adapter",
                "config": {"peft_type": "LORA", "r": 8},
                "tensors": {"base_model.model.q_proj.lora_A.weight": ("F32", (8, 64))},
            }
        }

    Fails:

        files = {
            "saved": {
                "kind": "model",
                "config": {"model_type": "gpt2"},
                "files": {
                    "model-00001-of-00002.safetensors": {"tensors": {"a": ("F32", (4, 4))}},
                    "model-00002-of-00002.safetensors": {"tensors": {"b": ("F32", (4, 4))}},
                },
                "missing": ["model.safetensors.index.json"],
            }
        }

    See also: <https://huggingface.co/docs/peft/developer_guides/checkpoint>.
    """
    yield from _without_config(checkpoint)
    for name in checkpoint.missing:
        if resumable is not None and resumable.tells_of(checkpoint, name):
            continue
        shards = [file for file in checkpoint.files if _shard(file, name)]
        if name == "model.safetensors" and not _a_model(checkpoint):
            continue
        lone = _lone(checkpoint) if name == "model.safetensors" else None
        yield (
            _renamed(checkpoint, lone)
            if lone is not None
            else Finding(
                message=f"{checkpoint.path} has no {name}: {_consequence(name, shards)}",
                where=Location(file=checkpoint.path),
                evidence={"missing": name, "files": [file.name for file in checkpoint.files][:10]},
                remedy=_cure(name, checkpoint, shards),
                alternatives=(_written_anew(name),)
                if shards and name.startswith("model.")
                else (),
            )
        )


def _without_config(checkpoint: Checkpoint) -> Iterator[Finding]:
    """Yield that weights of Transformers have no config, without which no class is known."""
    beside = checkpoint.beside if checkpoint.known("beside") else {}
    if checkpoint.kind != "model" or "config.json" in beside or checkpoint.known("config"):
        return
    sign = next((name for name in _SIGNS if name in beside), None)
    if sign is None or not checkpoint.weights or "modules.json" in beside:
        return
    yield Finding(
        message=f"{checkpoint.path} has weights and {sign}, and no config.json: from_pretrained "
        "does not know which model to make",
        where=Location(file=checkpoint.path),
        evidence={"missing": "config.json", "beside": sorted(beside)[:10]},
        remedy=f"copy config.json here from where the model was saved, or write it: "
        f'model.config.save_pretrained("{checkpoint.path}")',
        severity=Severity.WARNING if sign == _SIGNS[0] else Severity.NOTE,
    )


def _a_model(checkpoint: Checkpoint) -> bool:
    """Whether it is the folder of a model that lacks only its weights, and nothing else says so."""
    beside = checkpoint.beside if checkpoint.known("beside") else {}
    named = checkpoint.known("config") and "architectures" in checkpoint.config
    without = not checkpoint.judged or _lone(checkpoint) is not None
    return named and without and "modules.json" not in beside


def _lone(checkpoint: Checkpoint) -> StoredFile | None:
    """Return the only file of weights, where its name is none that any loader looks for."""
    held = checkpoint.judged
    if len(held) != 1 or held[0].contents.format != "safetensors" or not held[0].sound:
        return None
    known = re.fullmatch(
        r"(model\.\w+|consolidated|diffusion_.*|.*-of-\d+)\.safetensors", held[0].name
    )
    return None if known or "/" in held[0].name else held[0]


def _renamed(checkpoint: Checkpoint, file: StoredFile) -> Finding:
    return Finding(
        message=f"{checkpoint.path} has no model.safetensors, and its weights are called "
        f"{file.name}, for which from_pretrained does not look",
        where=_stored.place(file),
        evidence={"missing": "model.safetensors", "files": [file.name]},
        remedy=f"mv {shlex.quote(file.path)} "
        f"{shlex.quote(f'{checkpoint.path}/model.safetensors')}",
        severity=Severity.WARNING,  # a script of one's own may well read that name
    )


def _shard(file: StoredFile, index: str) -> bool:
    stem, _, suffix = index.removesuffix(_INDEX).rpartition(".")
    return (
        index.endswith(_INDEX) and file.name.startswith(f"{stem}-") and file.name.endswith(suffix)
    )


def _consequence(name: str, shards: list[StoredFile]) -> str:
    if shards:
        return (
            f"without it from_pretrained finds none of its {plural(len(shards), 'shard')} "
            f"({_stored.some([file.name for file in shards], 1)})"
        )
    if name == _ADAPTER:
        return "PEFT does not know which modules the weights belong to, and does not load them"
    if name.startswith("adapter_model"):
        return "there is nothing to load, and PEFT asks the hub for it instead"
    return "it holds a config and no weights"


def _cure(name: str, checkpoint: Checkpoint, shards: list[StoredFile]) -> str:
    if name == _ADAPTER:
        return (
            f"copy {name} here from where the adapter was saved, or make it again with the "
            f"arguments of the training: LoraConfig(…).save_pretrained({quoted(checkpoint.path)})"
        )
    if shards:
        return f"copy {name} here from where the shards come from"
    return (
        f"copy {name} here from where it was trained, or save it again with "
        f"model.save_pretrained({quoted(checkpoint.path)})"
    )


def _written_anew(name: str) -> str:
    return (
        f"write it anew, in that folder: import glob, json; from safetensors import safe_open; "
        'parts = {k: f for f in sorted(glob.glob("model-*-of-*.safetensors")) '
        'for k in safe_open(f, "np").keys()}; '
        f'json.dump({{"metadata": {{}}, "weight_map": parts}}, open("{name}", "w"))'
    )
