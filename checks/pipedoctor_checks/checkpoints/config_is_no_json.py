import shlex
from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import Checkpoint, Resumable


@check(
    "CKP041",
    Severity.ERROR,
    stage=Stage.CHECKPOINT,
    symptoms={
        r"It looks like the config file at '.*' is not a valid JSON file": (
            "take config.json anew from where the model comes from"
        ),
    },
)
def config_is_no_json(checkpoint: Checkpoint, resumable: Resumable | None) -> Iterator[Finding]:
    """
    The config of the model or of the adapter is cut off, empty, or was edited into no JSON.

    What builds the model reads it first: `from_pretrained` ends with "It looks like the config
    file is not a valid JSON file", PEFT with a `JSONDecodeError` that names no file.

    Fails:

        files = {
            "saved": {
                "kind": "model",
                "files": {"model.safetensors": {"tensors": {"a": ("F32", (4, 4))}}},
                "beside": {"config.json": 9},
                "unread": {"config.json": "Unterminated string starting at: line 1 column 2"},
            }
        }

    Passes:

        files = {
            "saved": {
                "config": {"model_type": "bert"},
                "tensors": {"a": ("F32", (4, 4))},
            }
        }
    """
    for name, reason in checkpoint.unread.items():
        if resumable is not None and resumable.tells_of(checkpoint, name):
            continue
        size = checkpoint.beside.get(name) if checkpoint.known("beside") else None
        config = shlex.quote(f"{checkpoint.path}/{name}")
        yield Finding(
            message=f"{name} is no JSON that can be read: {reason}"
            + (f" (of {size:,} bytes)" if size else ""),
            where=Location(file=f"{checkpoint.path}/{name}"),
            evidence={"file": name, "reason": reason, "bytes": size},
            remedy=f"copy {name} from where the weights come from: the base model's folder, or an "
            "older checkpoint of the same run",
            alternatives=(f"if it was edited by hand: python -m json.tool {config}",),
        )
