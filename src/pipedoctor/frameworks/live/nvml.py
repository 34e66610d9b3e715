"""
All GPUs of a machine, as NVIDIA's driver tells of them: nvidia-ml-py, which is optional.

https://docs.nvidia.com/deploy/nvml-api/group__nvmlDeviceQueries.html. Written against that
interface; not run on a device.
"""

from __future__ import annotations

import os
from contextlib import suppress
from importlib import import_module
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.facts.gpus import Gpu, Holder
from pipedoctor.probes.gpu.looking import LACKING


class Nvml:
    """Asks the driver; `library` is the module pynvml, unless another answers like it."""

    def __init__(self, library: Any = None, visible: str | None = None) -> None:
        """Take the module, and which devices CUDA_VISIBLE_DEVICES leaves."""
        if library is None:
            try:
                library = import_module("pynvml")
            except ImportError:
                raise Unavailable(LACKING) from None
        self._library = library
        self._visible = os.environ.get("CUDA_VISIBLE_DEVICES") if visible is None else visible

    def gpus(self) -> tuple[Gpu, ...]:
        """
        Return the GPUs that CUDA would see, in its order.

        Raises:
            Unavailable: The driver does not answer.

        """
        library = self._library
        try:
            library.nvmlInit()
            try:
                handles = [self._handle(name) for name in self._names()]
                return tuple(self._gpu(number, one) for number, one in enumerate(handles))
            finally:
                library.nvmlShutdown()
        except library.NVMLError as error:
            raise Unavailable(f"the driver of the GPU does not answer ({error})") from None

    def _names(self) -> list[str]:
        if self._visible is None:
            return [str(number) for number in range(self._library.nvmlDeviceGetCount())]
        names = []
        for word in self._visible.split(","):
            name = word.strip()
            if not name or name.startswith("-"):  # CUDA sees none from here on
                break
            names.append(name)
        return names

    def _handle(self, name: str) -> Any:
        if name.isdecimal():
            return self._library.nvmlDeviceGetHandleByIndex(int(name))
        return self._library.nvmlDeviceGetHandleByUUID(name)

    def _gpu(self, number: int, handle: Any) -> Gpu:
        library = self._library
        memory = library.nvmlDeviceGetMemoryInfo(handle)
        name = library.nvmlDeviceGetName(handle)
        processes: dict[int, Holder] = {}
        for ask in (
            "nvmlDeviceGetComputeRunningProcesses",
            "nvmlDeviceGetGraphicsRunningProcesses",
        ):
            with suppress(library.NVMLError):  # some drivers do not tell
                for one in getattr(library, ask)(handle):
                    processes.setdefault(one.pid, self._holder(one))
        return Gpu(
            number,
            name.decode() if isinstance(name, bytes) else str(name),
            int(memory.total),
            int(memory.free),
            tuple(processes.values()),
        )

    def _holder(self, process: Any) -> Holder:
        pid, used = int(process.pid), getattr(process, "usedGpuMemory", None)
        name = ""
        with suppress(self._library.NVMLError):
            told = self._library.nvmlSystemGetProcessName(pid)
            name = told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)
        return Holder(
            pid, os.path.basename(name), None if used is None else int(used), pid == os.getpid()
        )
