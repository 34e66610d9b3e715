"""Whether a pass has what it needs in memory: the weights, and room, or the process is killed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.units import size

KEPT = 0.1
"""The share of the free memory that is left alone: others need some meanwhile."""


def demand_weights(model: Any) -> None:
    """Raise `Unavailable` unless the model's weights are in memory."""
    if any(parameter.is_meta for parameter in model.parameters()):
        raise Unavailable("the model's weights are not in memory (they are on the meta device)")


@contextmanager
def within_memory(model: Any) -> Iterator[None]:
    """
    Stop a pass through a model before it has taken all memory.

    On a GPU the allocator says by itself that nothing is left. Elsewhere what is free is looked
    up whenever a module is called; room for the gradients has to stay.

    Raises:
        Unavailable: There is no room.

    """
    import torch

    gradients = sum(p.numel() * p.element_size() for p in model.parameters() if p.requires_grad)
    room, thread = available(), threading.get_ident()

    def look(_module: Any, _inputs: Any) -> None:
        if room is None or threading.get_ident() != thread:
            return
        free = available()
        if free is not None and free < KEPT * room + gradients:
            raise Unavailable(
                f"no room for a backward pass: of {size(room)} of memory that were free, "
                f"{size(free)} are left, and the gradients take {size(gradients)}"
            )

    on_cpu = all(parameter.device.type == "cpu" for parameter in model.parameters())
    if not on_cpu:
        try:
            yield
        except torch.cuda.OutOfMemoryError:
            torch.cuda.empty_cache()
            raise Unavailable("no room on the GPU for a backward pass") from None
        return
    watching = torch.nn.modules.module.register_module_forward_pre_hook(look)
    try:
        yield
    finally:
        watching.remove()


def available() -> int | None:
    """Return the bytes of memory that are free, where the system tells."""
    found = []
    with suppress(OSError, ValueError, StopIteration):
        with open("/proc/meminfo", encoding="ascii") as file:
            line = next(line for line in file if line.startswith("MemAvailable:"))
        found.append(int(line.split()[1]) * 1024)
    with suppress(OSError, ValueError, KeyError):  # a container may have less than the machine
        limit = int(_read("memory.max"))
        rows = dict(line.split() for line in _read("memory.stat").splitlines())
        # Files that are kept in memory would be given up.
        found.append(limit - int(_read("memory.current")) + int(rows["inactive_file"]))
    return min(found, default=None)


def _read(name: str) -> str:
    with open(f"/sys/fs/cgroup/{name}", encoding="ascii") as file:
        return file.read()
