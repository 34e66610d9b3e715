"""
How memory grows with the batch, and shrinks when it is shared by several processes.

ZeRO: Rajbhandari et al. 2020, https://arxiv.org/abs/1910.02054, section 5: of N processes, each
keeps 1/N of the optimizer states (stage 1), of the gradients too (stage 2), of the weights too
(stage 3). FSDP shards all three; while a unit is computed with, its weights are there in full:
Zhao et al. 2023, https://arxiv.org/abs/2304.11277, section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
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
class Moment:
    """
    What is live at a moment of a pass: gradients, what grows with the batch, and the rest.

    All are bytes, `growing` those of the batch that was gone through, `logits` what of it are
    logits, their logarithms and their gradients.
    """

    constant: int
    gradients: int
    growing: int
    logits: int = 0


@dataclass(frozen=True)
class Law:
    """
    The peak by the number of rows: the largest of affine laws, one for each moment that may be it.

    Of which there are `lines`, (bytes of any batch, bytes of a row); and it is never below `least`.
    """

    lines: tuple[tuple[float, float], ...]
    least: float = 0.0

    def at(self, rows: int) -> float:
        """Return the bytes for so many rows."""
        return max([self.least, *(fixed + each * rows for fixed, each in self.lines)])

    def most(self, bytes_: float) -> int:
        """Return the most rows for which so many bytes are enough; 0 if none are."""
        if self.at(1) > bytes_:
            return 0
        found = ((bytes_ - fixed) // each for fixed, each in self.lines if each > 0)
        return int(min([float(MOST_ROWS), *found]))


def law(
    moments: Iterable[Moment],
    rows: int,
    change: Callable[[Moment], float] = lambda moment: moment.constant + moment.gradients,
    least: float = 0.0,
) -> Law:
    """
    Return the law of moments that were met with so many rows.

    `change` tells what a moment's bytes of any batch are, where they are to be other ones.
    """
    lines = sorted(((m.growing / rows, change(m)) for m in moments), reverse=True)
    upper: list[tuple[float, float]] = []
    for each, fixed in lines:  # one that takes less for a row must take more besides to matter
        if not upper or fixed > upper[-1][0]:
            upper.append((fixed, each))
    return Law(tuple(upper), least)


def whole(peak: float, *, gpu: bool) -> tuple[int, int]:
    """Return the context and the margin that come on top of a peak."""
    return (CONTEXT if gpu else 0), int(SHARE * peak)


def usable(room: float, *, gpu: bool) -> float:
    """Return the largest peak that leaves room for its context and margin."""
    return (room - (CONTEXT if gpu else 0)) / (1 + SHARE)


@dataclass(frozen=True)
class Held:
    """What a process has, in bytes; `unit` are the weights of its largest layer."""

    weights: int
    gradients: int
    states: int
    unit: int

    def shared(self, method: str, processes: int) -> int:
        """
        Return what each of several processes keeps.

        `method` is zero-1, zero-2 or zero-3, which FSDP's full_shard equals: there, the weights
        of a layer are in full while it is computed with.
        """
        if method == "zero-1":
            return self.weights + self.gradients + -(-self.states // processes)
        if method == "zero-2":
            return self.weights + -(-(self.gradients + self.states) // processes)
        return -(-(self.weights + self.gradients + self.states) // processes) + self.unit


def states_in_float32(states: int, trained: int, halves: int) -> int:
    """
    Return the states that DeepSpeed keeps, and FSDP under mixed precision, for so many weights.

    Of `trained` weights, `halves` are in 16 bits: for those there is a copy in float32 that the
    optimizer works on, and its moments are in float32 too. With Adam that is 12 bytes a weight,
    K of arXiv:1910.02054, section 3.1. `states` are the moments in the type of the weights.
    """
    return states + int(states * halves / trained) + 4 * halves if trained else states


def transformer_activations(layers: int, hidden: int, heads: int, tokens: int, length: int) -> int:
    """
    Return the bytes of activations of a transformer in half precision, by formula.

    Korthikanti et al. 2022, https://arxiv.org/abs/2205.05198, equation 1: without fused attention
    a layer keeps s b h (34 + 5 a s / h) bytes; `tokens` are s b, of all rows, `length` is s.
    """
    return layers * tokens * (34 * hidden + 5 * heads * length)
