"""
The memory of one device, as torch and the system tell it: CUDA, MPS, the machine's own.

https://docs.pytorch.org/docs/stable/cuda.html#memory-management and
https://docs.pytorch.org/docs/stable/mps.html. CUDA and MPS are written against these pages, and
were not run on a device; the memory of the machine was.
"""

from __future__ import annotations

import gc
from contextlib import suppress
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.frameworks.training.memory import available
from pipedoctor.probes.gpu.interface import Live, Peak, Pieces

SAID = ("CUDA out of memory", "CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED")


class Cuda:
    """A GPU behind torch.cuda; `torch` is the module, unless another answers like it."""

    refuses = True

    def __init__(self, torch: Any, index: int = 0) -> None:
        """Take the module and the number of the device."""
        self._torch = torch
        self._index = index
        self.device = f"cuda:{index}"
        self.name = str(torch.cuda.get_device_name(index))

    def ran_out(self, error: Exception) -> bool:
        """Know the allocator's own error, and those of libraries that allocate by themselves."""
        return isinstance(error, self._torch.cuda.OutOfMemoryError) or _says(error, *SAID)

    def room(self) -> tuple[int, int]:
        """Ask the driver: what others have is not free."""
        free, total = self._torch.cuda.mem_get_info(self._index)
        return int(free), int(total)

    def reset(self) -> None:
        """Begin anew."""
        self._torch.cuda.synchronize(self._index)
        self._torch.cuda.reset_peak_memory_stats(self._index)

    def peak(self) -> Peak:
        """Wait for all kernels, then ask the allocator."""
        cuda = self._torch.cuda
        cuda.synchronize(self._index)
        return Peak(
            int(cuda.max_memory_allocated(self._index)),
            int(cuda.max_memory_reserved(self._index)),
        )

    def pieces(self) -> Pieces | None:
        """Read the statistics of the caching allocator; another allocator has none."""
        told = self._torch.cuda.memory_stats(self._index)
        if not told:
            return None
        return Pieces(
            int(told.get("allocated_bytes.all.current", 0)),
            int(told.get("reserved_bytes.all.current", 0)),
            int(told.get("inactive_split_bytes.all.current", 0)),
            int(told.get("num_alloc_retries", 0)),
        )

    def clean(self) -> None:
        """Give back cached memory."""
        gc.collect()
        self._torch.cuda.empty_cache()


class Mps:
    """The GPU of a Mac, which shares the memory of the machine."""

    name = "MPS"
    refuses = True

    def __init__(self, torch: Any) -> None:
        """Take the module."""
        self._torch = torch
        self.device = "mps"

    def ran_out(self, error: Exception) -> bool:
        """Know it by its words: MPS raises a RuntimeError, and nothing of its own."""
        return _says(error, "out of memory")

    def room(self) -> tuple[int, int]:
        """Return what is left of what the driver recommends to take."""
        total = int(self._torch.mps.recommended_max_memory())
        return max(0, total - int(self._torch.mps.driver_allocated_memory())), total

    def reset(self) -> None:
        """Begin anew: there is no peak to reset, so that it is looked at where it is asked for."""
        self._torch.mps.synchronize()

    def peak(self) -> Peak:
        """Return what is held now: the allocator keeps what it once had."""
        self._torch.mps.synchronize()
        mps = self._torch.mps
        return Peak(int(mps.current_allocated_memory()), int(mps.driver_allocated_memory()))

    def pieces(self) -> Pieces | None:
        """Return nothing: MPS tells no more."""
        return None

    def clean(self) -> None:
        """Give back cached memory."""
        gc.collect()
        self._torch.mps.empty_cache()


class Ram:
    """The memory of the machine: what is resident, by the kernel's own high-water mark."""

    name = "the memory of this machine"
    device = "cpu"
    refuses = False

    def __init__(self) -> None:
        """Begin where the process stands."""
        self._before = _status("VmRSS")

    def ran_out(self, error: Exception) -> bool:
        """Know what Python and torch raise for a size that no system would give."""
        return isinstance(error, MemoryError) or _says(error, "not enough memory")

    def room(self) -> tuple[int, int]:
        """Return what is free, and that with what this process has."""
        free = available()
        if free is None:
            raise Unavailable("the system does not tell how much memory is free")
        return free, free + (_status("VmRSS") or 0)

    def reset(self) -> None:
        """Have the kernel set its mark back to what is resident now."""
        with suppress(OSError), open("/proc/self/clear_refs", "w", encoding="ascii") as file:
            file.write("5")
        self._before = _status("VmRSS")

    def peak(self) -> Peak:
        """Return by how much the mark has risen."""
        highest = _status("VmHWM")
        if highest is None or self._before is None:
            raise Unavailable("the system does not tell how much memory was resident")
        risen = max(0, highest - self._before)
        return Peak(risen, risen)

    def pieces(self) -> Pieces | None:
        """Return nothing."""
        return None

    def clean(self) -> None:
        """Collect what nothing refers to."""
        gc.collect()


def here(torch: Any) -> Live:
    """Return the device that a training would take."""
    if torch.cuda.is_available():
        return Cuda(torch)
    if getattr(torch.backends, "mps", None) is not None and torch.backends.mps.is_available():
        return Mps(torch)
    return Ram()


def _says(error: Exception, *words: str) -> bool:
    return isinstance(error, RuntimeError) and any(word in str(error) for word in words)


def _status(name: str) -> int | None:
    with suppress(OSError, StopIteration, ValueError, IndexError):
        with open("/proc/self/status", encoding="ascii", errors="replace") as file:
            line = next(line for line in file if line.startswith(f"{name}:"))
        return int(line.split()[1]) * 1024
    return None
