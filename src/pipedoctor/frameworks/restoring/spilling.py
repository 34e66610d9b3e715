"""Copies of tensors that are to be put back: in memory, or in a file where memory is short."""

from __future__ import annotations

import shutil
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.units import size


class Spill:
    """A temporary file that holds the bytes of tensors; it is gone when the process is."""

    def __init__(self, needed: int) -> None:
        """
        Open it.

        Raises:
            Unavailable: The disk of the temporary files has no room for so many bytes.

        """
        import tempfile

        folder = tempfile.gettempdir()
        free = shutil.disk_usage(folder).free
        if needed > 0.9 * free:
            raise Unavailable(
                f"no room for training steps that are undone: copies of weights and optimizer take "
                f"{size(needed)}, which neither the memory nor {folder} ({size(free)} free) has"
            )
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the copies live

    def keep(self, tensor: Any) -> Spilled:
        """Write a tensor, and return what reads it."""
        raw = _bytes(tensor)
        place = self._file.seek(0, 2)
        self._file.write(raw.numpy().data)
        return Spilled(self._file, place, raw.numel(), tensor.shape, tensor.dtype)


class Spilled:
    """One tensor in the file."""

    def __init__(self, file: Any, place: int, length: int, shape: Any, dtype: Any) -> None:
        """Note where it lies."""
        self._file, self._place, self._length = file, place, length
        self._shape, self._dtype = shape, dtype

    def read(self) -> Any:
        """Return it."""
        import torch

        self._file.seek(self._place)
        raw = bytearray(self._file.read(self._length))
        if not raw:
            return torch.empty(self._shape, dtype=self._dtype)
        return torch.frombuffer(raw, dtype=torch.uint8).view(self._dtype).view(self._shape)


def _bytes(tensor: Any) -> Any:
    """Return the bytes of a tensor as a flat one on the CPU."""
    import torch

    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
