"""When two losses are the same but for rounding, and when labels make a difference; no framework."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

SAME = 1e-6
"""Two losses that differ by less, relative to them, are the same."""

Pull = tuple[float, Sequence[float | None]]
"""A loss, and the norms of the gradients that it gives."""


def same(one: float, other: float, began: float = 0.0) -> bool:
    """Whether two losses are the same but for rounding, which a loss near 0 keeps from its beginning."""
    return abs(one - other) <= SAME * max(abs(one), abs(other), abs(began), 1e-12)


def differ(one: Pull, other: Pull) -> bool | None:
    """Whether a loss or any of its gradients differs; None where nothing has a gradient."""
    if not isfinite(one[0]) or not any(one[1]):
        return None if same(*(x if isfinite(x) else 0.0 for x in (one[0], other[0]))) else True
    pairs = zip(one[1], other[1], strict=True)
    return not same(one[0], other[0]) or any(not same(a or 0.0, b or 0.0) for a, b in pairs)
