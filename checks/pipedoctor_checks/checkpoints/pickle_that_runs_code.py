from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.checkpoints.contents import FlawKind, Verdict
from pipedoctor.facts import Checkpoint
from pipedoctor_checks.checkpoints import _stored

_OWN = (
    "if you wrote it yourself: load it once where nothing can be lost, and save the tensors with "
    "safetensors.torch.save_file"
)


@check("CKP032", Severity.ERROR, stage=Stage.CHECKPOINT)
def pickle_that_runs_code(checkpoint: Checkpoint) -> Iterator[Finding]:
    """
    Loading the file calls something that is neither a tensor nor a plain value: any program.

    A pickle is a program, and `torch.load(weights_only=False)`, `joblib.load` and `pickle.load`
    run it. What rebuilding weights calls for is a short list; this file asks for more. Keras files
    carry code too, in layers such as Lambda. Told is the first call that is not on the list, and
    the byte at which it stands; that nothing is found is no promise.

    Fails:

        files = {
            "saved": {
                "kind": "file",
                "files": {
                    "weights.pt": {
                        "format": "PyTorch zip archive",
                        "verdict": "unsafe",
                        "offender": "os.system",
                        "offset": 58,
                    }
                },
            }
        }

    Passes:

        files = {
            "saved": {
                "kind": "file",
                "files": {"weights.pt": {"format": "PyTorch zip archive", "verdict": "allowed"}},
            }
        }

    See also: <https://docs.pytorch.org/docs/stable/notes/serialization.html#weights-only>.
    """
    for file in checkpoint.files:
        if file.index:
            continue  # its parts are files of their own
        contents = file.contents
        if contents.verdict is Verdict.NEEDS_TRUST and contents.format in _stored.PROGRAMS:
            continue  # its program is what it is for, and one's own needs no more than trust
        flaws = tuple(flaw for flaw in contents.flaws if flaw.kind is FlawKind.CODE)
        if contents.verdict is not Verdict.UNSAFE and not flaws:
            continue
        place = f" at byte {contents.offset:,}" if contents.offset is not None else ""
        reason = contents.reason or (_stored.told(flaws) if flaws else "")
        calls = f"it calls {contents.offender}{place}" if contents.offender else reason
        yield Finding(
            message=f"{file.name} ({contents.format}) can run any program when it is loaded: "
            f"{calls}, which rebuilds no tensor",
            where=_stored.place(file),
            evidence={
                **_stored.evidence(file, flaws),
                "offender": contents.offender,
                "offset": contents.offset,
                "reason": reason,
            },
            remedy="do not load it; ask whoever made it for the weights as safetensors",
            alternatives=(_OWN,),
        )
