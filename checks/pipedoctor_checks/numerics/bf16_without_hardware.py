from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Unavailable, check
from pipedoctor.facts import Cuda, NamedGpu, Settings

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
def bf16_without_hardware(
    settings: Settings, cuda: Cuda | None, named: NamedGpu | None
) -> Iterator[Finding]:
    """
    The run asks for bfloat16, and the GPU here, or the one that is named, can't multiply it.

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
    old = _old(cuda, named)
    if old is None:
        return
    name, place, evidence = old
    half = asked.replace("bf16", "fp16")
    yield Finding(
        message=f"{asked} is true, and {name}{place} has no arithmetic for bfloat16, which begins "
        "with Ampere (sm_80): it is emulated, and slow",
        where=settings.where(asked),
        evidence={"argument": asked, "device": name, **evidence},
        severity=Severity.WARNING,
        remedy=f"set {settings.entry(half, True)} instead of {settings.entry(asked, True)}",
    )


def _old(cuda: Cuda | None, named: NamedGpu | None) -> tuple[str, str, dict[str, object]] | None:
    """Return the GPU that is too old, how its age is told, and as figures."""
    if named is not None:  # the run is for that one, whatever is here
        return None if named.bf16 else (named.name, "", {})
    if cuda is None:
        raise Unavailable("no GPU is named, and what is here is not known")
    if cuda.build.startswith("rocm"):
        return None
    old = next((device for device in cuda.devices if device.capability < FIRST), None)
    if old is None:
        return None
    major, minor = old.capability
    return old.name, f" (sm_{major}{minor})", {"capability": [major, minor]}
