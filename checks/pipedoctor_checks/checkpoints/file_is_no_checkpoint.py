import re
import shlex
from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.checkpoints.contents import Family, FlawKind
from pipedoctor.facts import Checkpoint, Resumable, StoredFile
from pipedoctor_checks.checkpoints import _stored

_POINTER = "fetch the file itself: `git lfs pull` in its folder, or `hf download` of the model"
_PAGE = "download it anew; a link of the hub has /resolve/main/ in it, one with /blob/ is a page"
_CURES = {
    Family.POINTER: _POINTER,
    Family.PAGE: _PAGE,
    Family.NO_FILE: "name the file of the weights: a pipe, a socket or a device is none",
    Family.ZIP: "unzip FILE, and name what comes out",
    Family.EMPTY: "save or download it anew",
    Family.GZIP: "gunzip < FILE > UNPACKED, and name what comes out",
    Family.STREAM: "unpack it, and name what comes out",
    Family.SOURCE: "name the file that it saves; `pipedoctor check` examines a script",
}
_ELSE = "save or download it anew, and name the file of the weights"


@check(
    "CKP031",
    Severity.ERROR,
    stage=Stage.CHECKPOINT,
    symptoms={
        r"Error while deserializing header: header too (large|small)": (
            "look at what the file really is: `pipedoctor checkpoint FILE`"
        ),
        r"Unsupported operand (118|60|123)\b": f"the file is text: {_POINTER}",
    },
)
def file_is_no_checkpoint(
    checkpoint: Checkpoint, resumable: Resumable | None
) -> Iterator[Finding]:
    """
    A file that is named like weights is something else: a pointer, a web page, nothing at all.

    A repository that was cloned without Git LFS has pointers of 130 bytes where the weights
    should be; a download that needed a login is the page that asked for it. The libraries speak
    of a header that is too large, an unsupported operand or a missing file, each after its own
    fashion.

    Fails:

        files = {
            "saved": {
                "config": {"model_type": "bert"},
                "files": {
                    "model.safetensors": {
                        "format": "Git LFS pointer",
                        "verdict": "malformed",
                        "size": 133,
                        "flaws": [("not a checkpoint", "it is a Git LFS pointer of 133 bytes")],
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

    See also: <https://git-lfs.com>.
    """
    for file, flaws in _stored.flawed(checkpoint, FlawKind.NOT_A_CHECKPOINT):
        if resumable is not None and resumable.tells_of(checkpoint, file.name):
            continue
        yield Finding(
            message=f"{file.name} is no checkpoint: {_stored.told(flaws)}",
            where=_stored.place(file),
            evidence=_stored.evidence(file, flaws),
            remedy=_cure(file),
        )


def _cure(file: StoredFile) -> str:
    """Return the way to what should lie there."""
    path = {
        "FILE": shlex.quote(file.path),
        "UNPACKED": shlex.quote(f"{file.path}.unpacked"),
    }
    cure = _CURES.get(file.contents.family, _ELSE)
    return re.sub("FILE|UNPACKED", lambda found: path[found[0]], cure)
