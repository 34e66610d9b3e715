"""
How memory grows with the batch, and shrinks when it is shared by several processes.

ZeRO: Rajbhandari et al. 2020, https://arxiv.org/abs/1910.02054, section 5: of N processes, each
keeps 1/N of the optimizer states (stage 1), of the gradients too (stage 2), of the weights too
(stage 3). FSDP shards all three; while a unit is computed with, its weights are there in full:
Zhao et al. 2023, https://arxiv.org/abs/2304.11277, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

CONTEXT = 600_000_000
"""
What a CUDA context, the loaded kernels and the workspace of cuBLAS take: between 0.3 and 0.8 GB,
depending on the GPU and the release of CUDA. Not measured here; stated in each plan.
"""
SHARE = 0.05
"""The margin: this share of the peak, for what an allocator can't use because it is in pieces."""

MOST_ROWS = 2**20
"""No batch is larger."""


@dataclass(frozen=True)
class Affine:
    """Bytes by rows: `fixed + per_row * rows`, and never less than `least`."""

    fixed: float
    per_row: float
    least: float = 0.0

    def at(self, rows: int) -> float:
        """Return the bytes for so many rows."""
        return max(self.least, self.fixed + self.per_row * rows)

    def most(self, bytes_: float) -> int:
        """Return the most rows for which so many bytes are enough; 0 if none are."""
        if self.least > bytes_ or self.fixed + self.per_row > bytes_:
            return 0
        if self.per_row <= 0:
            return MOST_ROWS
        return min(MOST_ROWS, int((bytes_ - self.fixed) // self.per_row))


def through(first: tuple[int, float], second: tuple[int, float], least: float = 0.0) -> Affine:
    """Return the law through two points of rows and bytes."""
    (rows, size), (others, other) = first, second
    per_row = (other - size) / (others - rows)
    return Affine(size - per_row * rows, per_row, least)


def whole(peak: float, *, gpu: bool) -> tuple[int, int]:
    """Return the context and the margin that come on top of a peak."""
    return (CONTEXT if gpu else 0), int(SHARE * peak)


def usable(room: float, *, gpu: bool) -> float:
    """Return the largest peak that leaves room for its context and margin."""
    return (room - (CONTEXT if gpu else 0)) / (1 + SHARE)


@dataclass(frozen=True)
class Shards:
    """What each of several processes keeps, in bytes, of weights, gradients and states."""

    weights: int
    gradients: int
    states: int
    unit: int
    """The weights of the largest unit, which are gathered while it is computed with."""

    def of(self, method: str, processes: int) -> int:
        """Return the bytes of all three for zero-1, zero-2, zero-3 or fsdp."""
        w, g, s = self.weights, self.gradients, self.states
        if method == "zero-1":
            return w + g + -(-s // processes)
        if method == "zero-2":
            return w + -(-(g + s) // processes)
        return -(-(w + g + s) // processes) + self.unit


def transformer_activations(
    *, layers: int, hidden: int, heads: int, rows: int, length: int, width: int
) -> int:
    """
    Return the bytes of activations of a transformer without fused attention, by formula.

    Korthikanti et al. 2022, https://arxiv.org/abs/2205.05198, equation 1: a layer keeps
    s b h (34 + 5 a s / h) bytes in half precision; `width` is the bytes of a value, 2 or 4.
    """
    each = length * rows * (34 * hidden + 5 * heads * length)
    return layers * each * width // 2
