"""Which rows of a batch came out otherwise, after one of them was replaced; numpy's arrays only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

MOST = 4
"""So many rows are enough to see whether they mix."""

ROUNDING = 1e-4
"""What came out has changed if it did by more than this share of its size."""

HALF = 0.03
"""The same for sixteen bits, of which each operation keeps about 3 digits."""


def differing(one: Sequence[Any], other: Sequence[Any]) -> set[int] | None:
    """Return the rows that differ; None where the arrays do not have the same shapes."""
    import numpy as np

    if not one or len(one) != len(other):
        return None
    found: set[int] = set()
    for left, right in zip(one, other, strict=True):
        if left.shape != right.shape:
            return None
        size = float(np.abs(np.nan_to_num(left)).max()) if left.size else 0.0
        apart = np.abs(np.nan_to_num(left - right)).reshape(len(left), -1).max(axis=1)
        found |= {n for n in range(len(left)) if float(apart[n]) > ROUNDING * max(size, 1e-6)}
    return found
