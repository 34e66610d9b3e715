from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Environment, Restored
from pipedoctor.facts.arguments import version_key
from pipedoctor.probes import habits

STRICT = "2.6"
"""Since this release torch.load opens no pickle of NumPy's without being told to."""


@check(
    "CKP006",
    Severity.ERROR,
    stage=Stage.CHECKPOINT,
    symptoms={
        r"GLOBAL numpy\.(_core|core)\.multiarray\._reconstruct was not an allowed global": (
            "rng_state.pth was saved with another NumPy or is read by an older transformers: "
            "delete it to go on with other random numbers"
        ),
    },
)
def random_state_refused_on_resume(
    restored: Restored, environment: Environment
) -> Iterator[Finding]:
    """
    The random numbers in the checkpoint are those of a NumPy that torch.load refuses to read here.

    `rng_state.pth` holds an array of NumPy's. Since 2.6 torch reads one only if it is told to,
    which transformers does since 4.47; and it allows the name that the installed NumPy has for it.
    NumPy 1 calls it `numpy.core`, NumPy 2 `numpy._core`: a checkpoint of the one can't be resumed
    with the other.

    Fails:

        settings = {"resume_from_checkpoint": True}
        files = {
            "run": {
                "checkpoint-500": {
                    "state": {"global_step": 500},
                    "files": {
                        "model.safetensors": {"tensors": {"w": ("F32", (2, 2))}},
                        "rng_state.pth": {
                            "verdict": "needs trust",
                            "offender": "numpy.core.multiarray._reconstruct",
                        },
                    },
                },
            }
        }
        environment = {"transformers": "5.23.0", "torch": "2.13.0", "numpy": "2.4.0"}

    Passes:

        settings = {"resume_from_checkpoint": True}
        files = {
            "run": {
                "checkpoint-500": {
                    "state": {"global_step": 500},
                    "files": {
                        "model.safetensors": {"tensors": {"w": ("F32", (2, 2))}},
                        "rng_state.pth": {
                            "verdict": "needs trust",
                            "offender": "numpy._core.multiarray._reconstruct",
                        },
                    },
                },
            }
        }
        environment = {"transformers": "5.23.0", "torch": "2.13.0", "numpy": "2.4.0"}

    See also: <https://github.com/huggingface/transformers/issues/34631>.
    """
    if restored.saved.broken:
        return
    versions = environment.versions
    torch, transformers, numpy = (versions.get(n) for n in ("torch", "transformers", "numpy"))
    if torch is None or transformers is None or numpy is None:
        return
    if version_key(torch) < version_key(STRICT):
        return
    for file in restored.saved.checkpoint.files:
        offender = file.contents.offender
        if not file.name.startswith("rng_state") or not offender.startswith("numpy."):
            continue
        allows = habits.ALLOWS_NUMPY_STATES.known(transformers)
        old = offender.startswith("numpy.core.")
        if allows is False:
            why = f"transformers {transformers} does not let torch {torch} read such arrays"
            cure = "upgrade transformers to 4.47.1 or later"
        elif old is not (int(numpy.partition(".")[0]) < 2):
            why = f"NumPy {numpy} has another name for it, and torch {torch} reads no other"
            cure = f"install numpy{'<2' if old else '>=2'}"
        else:
            continue
        yield Finding(
            message=f"{file.name} of step {restored.saved.step} names {offender}: {why}, so the run "
            "stops before its first step",
            where=restored.where,
            evidence={"file": file.name, "name": offender, "torch": torch, "numpy": numpy},
            remedy=f"{cure}, or delete {file.path} (dropout then draws other random numbers)",
        )
        return
