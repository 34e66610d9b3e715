import shlex
from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.checkpoints.contents import Flaw, FlawKind, Verdict
from pipedoctor.facts import Checkpoint, Resumable, StoredFile
from pipedoctor_checks.checkpoints import _stored

_DAMAGE = (
    FlawKind.TRUNCATED,
    FlawKind.TRAILING,
    FlawKind.BAD_HEADER,
    FlawKind.BAD_RANGES,
    FlawKind.CHECKSUM,
)
_CURE = "take an older checkpoint, or save or download this one anew"


@check(
    "CKP013",
    Severity.ERROR,
    stage=Stage.CHECKPOINT,
    symptoms={
        r"incomplete metadata, file not fully covered": _CURE,
        r"MetadataIncompleteBuffer|InvalidHeaderDeserialization": _CURE,
        r"failed finding central directory": _CURE,
    },
)
def weights_file_damaged(checkpoint: Checkpoint, resumable: Resumable | None) -> Iterator[Finding]:
    """
    A file of the checkpoint is cut off, or its bytes are not those that were written.

    A save that was killed, a full disk or a broken download leave a file whose header promises
    more than follows. PyTorch then speaks of an invalid argument or a central directory, and
    flipped bytes inside a tensor are loaded without a word: it checks no checksum.

    Fails:

        files = {
            "saved": {
                "config": {"model_type": "bert"},
                "files": {
                    "model.safetensors": {
                        "verdict": "malformed",
                        "size": 1000,
                        "flaws": [("truncated", "its header promises 4,096 bytes, it has 1,000")],
                    }
                },
            }
        }

    Passes:

        files = {
            "saved": {
                "config": {"model_type": "bert"},
                "tensors": {"bert.pooler.dense.weight": ("F32", (768, 768))},
            }
        }
    """
    for file in checkpoint.judged:
        if resumable is not None and resumable.tells_of(checkpoint, file.name):
            continue
        flaws = tuple(
            flaw
            for flaw in _stored.own(checkpoint, file)
            # A sum that is off in the index keeps nobody from loading the tensors.
            if flaw.kind in _DAMAGE and not (file.index and "total_size" in flaw.message)
        )
        beyond = tuple(f for f in file.contents.flaws if f.kind is FlawKind.LIMIT)
        if beyond and not flaws and file.contents.verdict is Verdict.MALFORMED:
            yield Finding(
                message=f"{file.name} can't be read to its end: {_stored.told(beyond)}; what it "
                "holds or would run, nobody knows",
                where=_stored.place(file, beyond[0]),
                evidence=_stored.evidence(file, beyond),
                remedy="load it only if it is your own: a file that is made so can fill the memory",
                severity=Severity.WARNING,
            )
            continue
        unread = file.contents.verdict is Verdict.MALFORMED and not file.contents.flaws
        if not flaws and not unread:
            continue
        what = _stored.told(flaws) if flaws else file.contents.reason or "it can't be read"
        yield Finding(
            message=f"{file.name} is damaged: {what}",
            where=_stored.place(file, flaws[0] if flaws else None),
            evidence=_stored.evidence(file, flaws),
            remedy=_cut(file, flaws) or _CURE,
        )


def _cut(file: StoredFile, flaws: tuple[Flaw, ...]) -> str:
    """Return how to cut off what stands behind a file that is whole, "" where that is not all."""
    if len(flaws) != 1 or flaws[0].kind is not FlawKind.TRAILING or not file.contents.tensors:
        return ""
    end = flaws[0].offset
    # Elsewhere the bytes stand between the members, or nobody says where the file ends.
    if end is None or " follow the " not in flaws[0].message:
        return ""
    return (
        f"cut them off, for all {len(file.contents.tensors):,} tensors stand before them: "
        f"truncate -s {end} {shlex.quote(file.path)}"
    )
