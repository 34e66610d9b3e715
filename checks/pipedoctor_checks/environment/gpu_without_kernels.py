from __future__ import annotations

import re
from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Cuda, Device

_ARCH = re.compile(r"(sm|compute)_(\d+)([af]?)")
INSTALL = "install a build of torch for this GPU: https://pytorch.org/get-started/locally/"


@check(
    "ENV006",
    Severity.ERROR,
    stage=Stage.ENVIRONMENT,
    symptoms={
        r"no kernel image is available for execution on the device": INSTALL,
        r"sm_\d+ is not compatible with the current PyTorch installation": INSTALL,
    },
)
def gpu_without_kernels(cuda: Cuda) -> Iterator[Finding]:
    """
    The installed torch holds no code for the GPU that is here.

    A wheel is built for a list of architectures (`torch.cuda.get_arch_list()`). Code for `sm_80`
    runs on GPUs of the same major number from 8.0 on; `compute_90` is compiled anew for any later
    GPU. A GPU that neither reaches, newer than the wheel or older than what it still supports,
    is listed and filled with data as usual, and the first computation raises "no kernel image is
    available for execution on the device". AMD's GPUs are not judged.

    Fails:

        environment = {
            "torch": "2.5.1+cu124",
            "cuda": {
                "build": "12.4",
                "arches": ["sm_50", "sm_80", "sm_86", "sm_90"],
                "devices": [{"name": "NVIDIA GeForce RTX 5090", "capability": [12, 0]}],
            },
        }

    Passes:

        environment = {
            "torch": "2.5.1+cu124",
            "cuda": {
                "build": "12.4",
                "arches": ["sm_50", "sm_80", "sm_86", "sm_90"],
                "devices": [{"name": "NVIDIA L4", "capability": [8, 9]}],
            },
        }

    See also: <https://github.com/pytorch/pytorch/issues/149845>,
    <https://docs.nvidia.com/cuda/cuda-c-programming-guide/#binary-compatibility>.
    """
    if not cuda.devices or cuda.build.startswith("rocm") or not cuda.arches:
        return
    for device in dict.fromkeys(cuda.devices):
        if any(reaches(arch, device.capability) for arch in cuda.arches):
            continue
        major, minor = device.capability
        newest = max((_number(arch) for arch in cuda.arches), default=0)
        age = "newer" if major * 10 + minor > newest else "older"
        yield Finding(
            message=f"{_named(device)} is sm_{major}{minor}, {age} than what torch {cuda.torch} "
            f"holds code for: {' '.join(cuda.arches)}",
            evidence={
                "device": device.name,
                "capability": [major, minor],
                "arches": list(cuda.arches),
                "torch": cuda.torch,
            },
            remedy=INSTALL
            if age == "newer"
            else "install an older build of torch that still supports this GPU, such as one for "
            "an earlier CUDA",
        )


def reaches(arch: str, capability: tuple[int, int]) -> bool:
    """Whether code for an architecture runs on a GPU of this capability."""
    found = _ARCH.fullmatch(arch)
    if found is None:
        return True  # a name that is not known here proves nothing
    number, here = int(found[2]), capability[0] * 10 + capability[1]
    if found[3] == "a":  # for this very architecture
        return number == here
    if found[1] == "compute":
        return number <= here
    return number // 10 == capability[0] and number <= here


def _number(arch: str) -> int:
    found = _ARCH.fullmatch(arch)
    return int(found[2]) if found else 0


def _named(device: Device) -> str:
    return device.name or "the GPU"
