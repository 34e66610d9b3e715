from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.checkpoints.contents import FlawKind
from pipedoctor.facts import Checkpoint
from pipedoctor_checks.checkpoints import _stored


@check("CKP036", Severity.WARNING, stage=Stage.CHECKPOINT)
def tensor_named_twice(checkpoint: Checkpoint) -> Iterator[Finding]:
    """
    Two entries of a file have the same name, and which of them is loaded depends on the reader.

    No library writes such a file. It comes from a tool that glued files together, or from somebody
    who wants one reader to see something else than another.

    Fails:

        files = {
            "saved": {
                "kind": "file",
                "files": {
                    "merged.safetensors": {
                        "flaws": [("duplicate names", "lm_head.weight stands in its header twice")]
                    }
                },
            }
        }

    Passes:

        files = {"saved": {"kind": "file", "tensors": {"lm_head.weight": ("F32", (8, 4))}}}
    """
    for file, flaws in _stored.flawed(checkpoint, FlawKind.DUPLICATE):
        yield Finding(
            message=f"{file.name}: {_stored.told(flaws)}",
            where=_stored.place(file, flaws[0]),
            evidence=_stored.evidence(file, flaws),
            remedy="write the file anew from the model that it came from; trust neither entry",
        )
