"""Devices that are not there: a fake of what `pipedoctor.probes.gpu` asks, and of NVML and torch."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

from pipedoctor.probes.gpu.interface import Peak, Pieces

GIB = 2**30


class OutOfMemory(RuntimeError):  # noqa: N818 - torch's own has no such name either
    """What the fake raises where nothing is left."""


class Fake:
    """A device of so many bytes; `take` is what a step asks for, `release` what it gives back."""

    name = "a fake GPU"
    refuses = True

    def __init__(self, total: int, device: str = "cpu", taken: int = 0) -> None:
        self.total, self.device, self.taken = total, device, taken
        self.used = self.highest = self.cached = 0
        self.cleaned = 0

    def ran_out(self, error: Exception) -> bool:
        return isinstance(error, OutOfMemory)

    def room(self) -> tuple[int, int]:
        return self.total - self.taken - self.used - self.cached, self.total

    def reset(self) -> None:
        self.highest = self.used

    def peak(self) -> Peak:
        return Peak(self.highest, max(self.highest, self.used + self.cached))

    def pieces(self) -> Pieces:
        return Pieces(self.used, self.used + self.cached, self.cached // 2, 0)

    def clean(self) -> None:
        self.cleaned += 1
        self.cached = 0

    def take(self, size: int) -> None:
        if self.used + size > self.total - self.taken:
            raise OutOfMemory(f"tried to allocate {size}")
        self.used += size
        self.cached = max(0, self.cached - size)  # what lies ready is used first
        self.highest = max(self.highest, self.used)

    def release(self, size: int) -> None:
        self.used -= size
        self.cached += size


class NVMLError(Exception):
    """The driver's own error."""


class FakeNvml:
    """The module pynvml, for GPUs that are described: total, free, processes (pid: bytes)."""

    NVMLError = NVMLError

    def __init__(self, *gpus: dict[str, Any], broken: bool = False) -> None:
        self._gpus, self._broken = gpus, broken
        self.open = 0

    def nvmlInit(self) -> None:  # noqa: N802 - its own name
        if self._broken:
            raise NVMLError("Driver Not Loaded")
        self.open += 1

    def nvmlShutdown(self) -> None:  # noqa: N802 - its own name
        self.open -= 1

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802 - its own name
        return len(self._gpus)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> dict[str, Any]:  # noqa: N802 - its own name
        if index >= len(self._gpus):
            raise NVMLError("Invalid Argument")
        return self._gpus[index]

    def nvmlDeviceGetHandleByUUID(self, name: str) -> dict[str, Any]:  # noqa: N802 - its own name
        return next(gpu for gpu in self._gpus if gpu.get("uuid") == name)

    def nvmlDeviceGetMemoryInfo(self, handle: dict[str, Any]) -> Any:  # noqa: N802 - its own name
        return SimpleNamespace(total=handle["total"], free=handle["free"])

    def nvmlDeviceGetName(self, handle: dict[str, Any]) -> bytes:  # noqa: N802 - its own name
        return str(handle.get("name", "Tesla T4")).encode()

    def nvmlDeviceGetComputeRunningProcesses(self, handle: dict[str, Any]) -> list[Any]:  # noqa: N802 - its own name
        return [
            SimpleNamespace(pid=pid, usedGpuMemory=used)
            for pid, used in handle.get("processes", {}).items()
        ]

    def nvmlDeviceGetGraphicsRunningProcesses(self, handle: dict[str, Any]) -> list[Any]:  # noqa: N802 - its own name
        raise NVMLError("Not Supported")

    def nvmlSystemGetProcessName(self, pid: int) -> bytes:  # noqa: N802 - its own name
        if pid != os.getpid():
            return b"/usr/bin/python3"
        raise NVMLError("Not Found")
