"""
What is asked of a device whose memory is looked at or tried out.

CUDA, MPS and the memory of the machine each answer in a way of their own, in
`pipedoctor.frameworks.live`; tests have one that has no device at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pipedoctor.facts.gpus import Gpu


@dataclass(frozen=True)
class Peak:
    """
    The most bytes since the last reset: what tensors took, and what the allocator held for them.

    Both are the same where nothing holds memory back, as on a CPU.
    """

    allocated: int
    reserved: int


@dataclass(frozen=True)
class Pieces:
    """
    What an allocator holds: bytes in use, bytes held, and how much of the rest is in pieces.

    `split` are bytes of blocks that were cut and can't be given back; `retries` counts how often
    memory had to be given back and asked for again.
    """

    allocated: int
    reserved: int
    split: int
    retries: int

    @property
    def unused(self) -> int:
        """The bytes that are held and not in use."""
        return max(0, self.reserved - self.allocated)

    @property
    def fragmented(self) -> float:
        """The share of what is held that lies unused in cut blocks."""
        return self.split / self.reserved if self.reserved else 0.0


class Live(Protocol):
    """One device."""

    name: str
    device: str
    """What torch calls it."""
    refuses: bool
    """Whether it raises where nothing is left; the machine ends the process."""

    def ran_out(self, error: Exception) -> bool:
        """Whether an error says that nothing was left."""

    def room(self) -> tuple[int, int]:
        """Return the bytes that are free and those that there are in all."""

    def reset(self) -> None:
        """Begin to measure the peak anew."""

    def peak(self) -> Peak:
        """Return the peak since then, when all that was begun is done."""

    def pieces(self) -> Pieces | None:
        """Return how the allocator's memory lies; None where there is no such allocator."""

    def clean(self) -> None:
        """Give back all that nothing uses."""


class Watcher(Protocol):
    """What knows of all GPUs of the machine, and of who uses them."""

    def gpus(self) -> tuple[Gpu, ...]:
        """Return them in their order."""
