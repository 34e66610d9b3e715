from collections.abc import Iterator, Mapping

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.checkpoints.contents import FlawKind
from pipedoctor.facts import Checkpoint
from pipedoctor.facts.checkpoint import OPTIMIZER
from pipedoctor.units import plural
from pipedoctor_checks.checkpoints import _stored

_COUNT = "optimizer_state_dict.partition_count"


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

    Fails:

        files = {
            "saved": {
                "kind": "dcp",
                "files": {
                    ".metadata": {
                        "format": "PyTorch distributed checkpoint's metadata",
                        "verdict": "needs trust",
                        "metadata": {"files": {"__0_0.distcp": 1388, "__1_0.distcp": 1388}},
                    },
                    "__0_0.distcp": {"format": "PyTorch zip archive"},
                },
            }
        }
    """
    yield from _distributed(checkpoint)
    yield from _partitions(checkpoint)
    for file, flaws in _stored.flawed(checkpoint, FlawKind.MISSING_FILE):
        yield Finding(
            message=f"{file.name}: {_stored.told(flaws)}",
            where=_stored.place(file),
            evidence=_stored.evidence(file, flaws),
            remedy="download or copy what is missing, or save the model anew; "
            "`hf download` goes on where a download stopped",
        )


def _partitions(checkpoint: Checkpoint) -> Iterator[Finding]:
    """Yield that DeepSpeed's optimizer is not there of all processes."""
    for folder in checkpoint.zero:
        held = [
            file
            for file in checkpoint.files
            if file.name.rpartition("/")[0] == folder and file.name.endswith(OPTIMIZER)
        ]
        counts = [file.contents.values.get(_COUNT) for file in held]
        stated = [
            max((n for n in count if type(n) is int), default=0)
            if isinstance(count, tuple)
            else count
            for count in counts
        ]
        wanted = max((count for count in stated if type(count) is int), default=0)
        if held and wanted > len(held):
            yield Finding(
                message=f"{folder or checkpoint.path} was saved by {wanted} processes, and the "
                f"optimizer of {len(held)} is there: {_stored.some([f.name for f in held])}",
                where=_stored.place(held[0]),
                evidence={"processes": wanted, "files": [file.name for file in held][:10]},
                remedy="copy the files of every process into the folder; each node writes its own",
            )


def _distributed(checkpoint: Checkpoint) -> Iterator[Finding]:
    """Yield the files that the list of a distributed checkpoint names and that are not there."""
    there = {file.name for file in checkpoint.files}
    for file in checkpoint.judged if checkpoint.kind != "file" else ():
        folder, _, name = file.name.rpartition("/")
        listed = file.contents.metadata.get("files")
        if name != ".metadata" or not isinstance(listed, Mapping):
            continue
        named = {
            f"{folder}/{part}" if folder else str(part): size for part, size in listed.items()
        }
        missing = {part: size for part, size in named.items() if part not in there}
        if missing:
            yield Finding(
                message=f"of the {plural(len(named), 'file')} that {file.name} names, "
                f"{len(missing):,} can't be found: {_stored.some(sorted(missing))}",
                where=_stored.place(file),
                evidence={**_stored.evidence(file), "missing": missing},
                remedy="copy the files of every process into the folder; each writes its own",
            )
