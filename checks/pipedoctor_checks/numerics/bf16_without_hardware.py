from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Cuda, Settings

FIRST = (8, 0)
"""Ampere, the first of NVIDIA's architectures that multiplies bfloat16."""

ASKED = ("bf16", "bf16_full_eval")


@check(
    "NUM006",
    Severity.ERROR,
    stage=Stage.ENVIRONMENT,
    symptoms={
        r"Your setup doesn't support bf16/gpu": "set use_cpu=True on a machine without a GPU, or "
        "fp16=True instead of bf16=True on one older than Ampere",
        r"Your setup doesn't support bf16/\(cpu": "set bf16=False",
    },
)
def bf16_without_hardware(settings: Settings, cuda: Cuda) -> Iterator[Finding]:
    """
    The run asks for bfloat16, and the GPU here can't multiply it.

    NVIDIA's GPUs do since Ampere (capability 8.0). On an older one, a T4 or a V100, torch says
    that bfloat16 is supported, and TrainingArguments lets it pass: it is computed by emulation,
    without the tensor cores that float16 has there: a warning. Without any GPU TrainingArguments raises
    ValueError; that says more of the machine than of the run, and is told where it happens.

    Fails:

        settings = {"bf16": True}
        environment = {
            "transformers": "5.23.0",
            "torch": "2.9.0+cu126",
            "cuda": {
                "build": "12.6",
                "arches": ["sm_75", "sm_80"],
                "devices": [{"name": "Tesla T4", "capability": [7, 5]}],
            },
        }

    Passes:

        settings = {"bf16": True}
        environment = {
            "transformers": "5.23.0",
            "torch": "2.9.0+cu126",
            "cuda": {
                "build": "12.6",
                "arches": ["sm_75", "sm_80"],
                "devices": [{"name": "NVIDIA L4", "capability": [8, 9]}],
            },
        }

    See also: <https://docs.pytorch.org/docs/stable/generated/torch.cuda.is_bf16_supported.html>.
    """
    asked = next((name for name in ASKED if settings.get(name) is True), None)
    if asked is None or settings.get("use_cpu") is True or settings.get("no_cuda") is True:
        return
    if not cuda.devices or cuda.build.startswith("rocm"):
        return
    old = [device for device in cuda.devices if device.capability < FIRST]
    if not old:
        return
    major, minor = old[0].capability
    half = asked.replace("bf16", "fp16")
    yield Finding(
        message=f"{asked} is true, and {old[0].name} (sm_{major}{minor}) has no arithmetic for "
        "bfloat16, which begins with sm_80: it is emulated, and slow",
        where=settings.where(asked),
        evidence={"argument": asked, "device": old[0].name, "capability": [major, minor]},
        severity=Severity.WARNING,
        remedy=f"set {settings.entry(half, True)} instead of {settings.entry(asked, True)}",
    )
