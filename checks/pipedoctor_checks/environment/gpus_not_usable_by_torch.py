from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Cuda
from pipedoctor.units import plural


@check("ENV016", Severity.ERROR, stage=Stage.ENVIRONMENT)
def gpus_not_usable_by_torch(cuda: Cuda) -> Iterator[Finding]:
    """
    There are GPUs, and the installed torch can use none of them.

    It then trains on the processor without a word, a hundred times slower. Either torch was built
    without CUDA (a version that ends in `+cpu`, or the default of `pip install torch` on some
    systems), or its CUDA is newer than what the driver knows.

    Fails:

        environment = {
            "torch": "2.13.0+cpu",
            "cuda": {"present": 2, "build": "", "devices": [], "driver": "570.86.15"},
        }

    Fails:

        environment = {
            "torch": "2.13.0+cu130",
            "cuda": {
                "present": 1,
                "build": "13.0",
                "devices": [],
                "driver": "470.57.02",
                "refusal": "The NVIDIA driver on your system is too old (found version 11040).",
            },
        }

    Passes:

        environment = {
            "torch": "2.13.0+cu130",
            "cuda": {
                "present": 1,
                "build": "13.0",
                "arches": ["sm_90"],
                "devices": [{"name": "NVIDIA H100", "capability": [9, 0]}],
            },
        }

    Passes:

        environment = {"torch": "2.13.0+cpu", "cuda": {"present": 0, "build": "", "devices": []}}

    See also: <https://pytorch.org/get-started/locally/>.
    """
    if not cuda.present or cuda.devices or cuda.mps or cuda.build.startswith("rocm"):
        return
    driver = f", driver {cuda.driver}" if cuda.driver else ""
    here = f"{plural(cuda.present, 'GPU')}{driver}"
    if not cuda.build:
        message = (
            f"there {'is' if cuda.present == 1 else 'are'} {here}, and torch {cuda.torch} is "
        )
        message += "built without CUDA: it trains on the processor"
        remedy = "pip install --force-reinstall torch from the index of your CUDA: "
        remedy += "https://pytorch.org/get-started/locally/"
    else:
        said = f": {cuda.refusal}" if cuda.refusal else ", and gives no reason"
        message = f"torch {cuda.torch}, built for CUDA {cuda.build}, can use none of {here}{said}"
        remedy = "see whether nvidia-smi works here; then update the driver, or install torch for "
        remedy += "an older CUDA: https://pytorch.org/get-started/previous-versions/"
    yield Finding(
        message=message,
        evidence={
            "present": cuda.present,
            "torch": cuda.torch,
            "build": cuda.build,
            "driver": cuda.driver,
            "refusal": cuda.refusal,
        },
        remedy=remedy,
    )
