from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Cuda, Environment, TriedImports
from pipedoctor.finding import Location

REINSTALL = "pip install --upgrade bitsandbytes, then see what `python -m bitsandbytes` says"


@check(
    "ENV007",
    Severity.ERROR,
    stage=Stage.ENVIRONMENT,
    symptoms={
        r"CUDA Setup failed despite (GPU|CUDA) being available": REINSTALL,
        r"[Tt]he installed version of bitsandbytes was compiled without GPU support": REINSTALL,
        r"bitsandbytes library load error|Attempted to use bitsandbytes native library": REINSTALL,
    },
    explains=("ENV015",),
)
def bitsandbytes_without_cuda(
    imports: TriedImports, cuda: Cuda, environment: Environment
) -> Iterator[Finding]:
    """
    There is a GPU, and bitsandbytes can't use it.

    bitsandbytes looks for a library of its own that was built for the CUDA of torch. Where it
    finds none, the import works or fails, depending on its version, and 8-bit optimizers and
    4-bit weights raise an error when they are first used.

    Fails:

        environment = {
            "torch": "2.9.0+cu126",
            "bitsandbytes": "0.44.1",
            "imports": {"bitsandbytes": {"cuda": False}},
            "cuda": {
                "build": "12.6",
                "arches": ["sm_80"],
                "devices": [{"name": "NVIDIA A100", "capability": [8, 0]}],
            },
        }

    Passes:

        environment = {
            "torch": "2.9.0+cu126",
            "bitsandbytes": "0.48.0",
            "imports": {"bitsandbytes": {"cuda": True}},
            "cuda": {
                "build": "12.6",
                "arches": ["sm_80"],
                "devices": [{"name": "NVIDIA A100", "capability": [8, 0]}],
            },
        }

    See also: <https://github.com/bitsandbytes-foundation/bitsandbytes/issues/572>.
    """
    tried = imports.of.get("bitsandbytes")
    if tried is None or not cuda.devices or cuda.build.startswith("rocm") or tried.late:
        return
    if tried.works and tried.cuda is not False:
        return
    version = environment.versions.get("bitsandbytes")
    name = f"bitsandbytes {version}" if version else "bitsandbytes"
    what = (
        f"is there, but it has no library for CUDA {cuda.build}"
        if tried.works
        else f"can't be imported: {tried.error}"
    )
    yield Finding(
        message=f"{name} {what}; torch {cuda.torch} sees {cuda.devices[0].name}",
        where=Location(key="bitsandbytes"),
        evidence={"bitsandbytes": version, "error": tried.error, "cuda": cuda.build},
        remedy=REINSTALL,
    )
