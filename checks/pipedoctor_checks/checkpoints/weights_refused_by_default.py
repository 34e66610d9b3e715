from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Unavailable, check
from pipedoctor.checkpoints.contents import Family, Verdict
from pipedoctor.checkpoints.file_loaders import quoted
from pipedoctor.facts import Checkpoint, Environment, StoredFile
from pipedoctor_checks.checkpoints import _stored

_REFUSES = (2, 6)
"""The release of torch from which on `load` takes weights only unless told otherwise."""

_OTHERS = (Family.KERAS, Family.KERAS_H5)
"""What torch doesn't read at all."""


@check(
    "CKP033",
    Severity.WARNING,
    stage=Stage.CHECKPOINT,
    symptoms={
        r"Unsupported global: GLOBAL \S+ was not an allowed global by default": (
            "see what the file would run: `pipedoctor checkpoint FILE`; a file that you trust is "
            "loaded with weights_only=False"
        ),
    },
)
def weights_refused_by_default(
    checkpoint: Checkpoint, environment: Environment
) -> Iterator[Finding]:
    """
    `torch.load` refuses the file: besides tensors it holds objects of other classes.

    From torch 2.6 on `load` takes tensors and plain values only. Arguments of a parser, numpy
    arrays, or a whole model that was pickled instead of its `state_dict()` are refused with
    "Weights only load failed", often at the end of a pipeline that worked the year before.

    Fails:

        environment = {"torch": "2.13.0"}
        files = {
            "saved": {
                "kind": "file",
                "files": {
                    "last.ckpt": {
                        "format": "PyTorch zip archive",
                        "verdict": "needs trust",
                        "offender": "argparse.Namespace",
                        "offset": 1204,
                    }
                },
            }
        }

    Passes:

        environment = {"torch": "2.5.1"}
        files = {
            "saved": {
                "kind": "file",
                "files": {
                    "last.ckpt": {
                        "format": "PyTorch zip archive",
                        "verdict": "needs trust",
                        "offender": "argparse.Namespace",
                        "offset": 1204,
                    }
                },
            }
        }

    See also: <https://docs.pytorch.org/docs/stable/generated/torch.load.html>.
    """
    held = [
        file
        for file in checkpoint.weights
        if file.contents.verdict is Verdict.NEEDS_TRUST
        and not file.index
        # The list of a distributed checkpoint is read by pickle itself, which refuses nothing.
        and not file.name.endswith(".metadata")
        and file.contents.family not in _OTHERS
    ]
    if not held:
        return
    version = environment.versions.get("torch")
    if version is None:
        raise Unavailable("torch is not installed")
    if tuple(int(part) for part in version.split(".")[:2]) < _REFUSES:
        return
    for file in held:
        offender, state = file.contents.offender, file.state
        if file.contents.whole_model:
            yield _whole(file, version)
            continue
        if file.contents.format in _stored.PROGRAMS:
            yield _program(file, version)
            continue
        yield Finding(
            message=f"torch {version} refuses {file.name} unless told to trust it: it holds "
            f"{offender or file.contents.reason}",
            where=_stored.place(file),
            evidence={**_stored.evidence(file), "offender": offender, "torch": version},
            remedy=f"if it is your own: torch.load({quoted(file.path)}, weights_only=False)",
            alternatives=("save model.state_dict() in a file of its own, and the rest as JSON",),
            severity=Severity.NOTE if state else None,
        )


def _program(file: StoredFile, version: str) -> Finding:
    """Return what is to be said of a model that was saved as a program."""
    contents = file.contents
    carries = contents.reason.partition(", a program")[0]
    return Finding(
        message=f"{file.name} is a {contents.format} and {carries}: torch {version} refuses it in "
        f"torch.load, and {_stored.PROGRAMS[contents.format]} runs that program",
        where=_stored.place(file),
        evidence={**_stored.evidence(file, contents.flaws), "torch": version},
        remedy=f'if it is your own: {_stored.PROGRAMS[contents.format]}("{file.path}")',
        alternatives=("if it is not: ask whoever made it for the weights as safetensors",),
    )


def _whole(file: StoredFile, version: str) -> Finding:
    """Return what is to be said of a model that was pickled whole."""
    offender = file.contents.offender
    return Finding(
        message=f"{file.name} is a whole model, saved with its classes ({offender} first): torch "
        f"{version} refuses it, and told to load it all the same it runs their code",
        where=_stored.place(file),
        evidence={**_stored.evidence(file), "offender": offender, "torch": version},
        remedy="save the weights instead, where it was trained: "
        'torch.save(model.state_dict(), "weights.pt")',
        alternatives=(
            (
                f"if it is your own: model = torch.load({quoted(file.path)}, weights_only=False), with the "
                "modules of its classes at hand, in the versions that it was saved with"
            ),
        ),
    )
