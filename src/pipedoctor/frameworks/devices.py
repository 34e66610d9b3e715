"""
What torch says of the GPUs, asked in a process that is there for nothing else.

To ask is to start CUDA, which takes memory of the GPU; with the process, that is given back.
"""

from __future__ import annotations

import warnings
from typing import Any


def told() -> dict[str, Any]:
    """Return the fields of the fact `Cuda` that torch knows, as plain data."""
    import torch

    build = torch.version.cuda or (f"rocm {torch.version.hip}" if torch.version.hip else "")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        usable = torch.cuda.is_available()
        number = torch.cuda.device_count() if usable else 0
        devices = [_device(torch.cuda.get_device_properties(index)) for index in range(number)]
    mps = getattr(torch.backends, "mps", None)
    return {
        "torch": str(torch.__version__),
        "build": build,
        # Empty where CUDA can't be used, though the wheel has some.
        "arches": torch.cuda.get_arch_list() if usable else None,
        "devices": devices,
        "refusal": "" if usable else "; ".join(str(one.message) for one in said)[:500],
        "mps": bool(mps is not None and mps.is_available()),
    }


def _device(properties: Any) -> dict[str, Any]:
    return {
        "name": properties.name,
        "capability": [properties.major, properties.minor],
        "memory": properties.total_memory,
    }
