"""Whether an array holds a value that is not finite, and in which rows; for numpy's arrays."""

from __future__ import annotations

from math import isfinite
from typing import Any

from pipedoctor.frameworks.fitting.library import to_numpy
from pipedoctor.frameworks.tracing.values import INF, NAN


def array(value: Any) -> Any:
    """Return a tensor of floating point as numpy's array; None for anything else."""
    dtype = str(getattr(value, "dtype", ""))
    if "float" not in dtype and "complex" not in dtype:
        return None
    if type(value).__name__ == "IndexedSlices":
        value = value.values
    found = to_numpy(value)
    return None if found is None or not found.size else found


def kind(value: Any) -> int:
    """
    Return what there is in an array that is not finite: 0, NAN, INF, or both.

    No such value is lost in a sum; where a sum only overflows, the second look tells.
    """
    import numpy as np

    held = array(value)
    if held is None:
        return 0
    with np.errstate(all="ignore"):
        total = held.sum(dtype="float64" if held.dtype.kind == "f" else None)
    if isfinite(total.real) and isfinite(total.imag):
        return 0
    return NAN * bool(np.isnan(held).any()) + INF * bool(np.isinf(held).any())


def places(held: Any, what: int) -> Any:
    """Return which elements are NaN, or where there is none, which are infinite."""
    import numpy as np

    return np.isnan(held) if what & NAN else np.isinf(held)


def word(held: Any, what: int) -> str:
    """Name what is there."""
    if what & NAN:
        return "NaN"
    return "inf" if (held.real > 0)[places(held, what)].any() else "-inf"


def rows(bad: Any, size: int, shapes: frozenset[tuple[int, ...]]) -> tuple[int, ...] | None:
    """Return in which rows of a batch of this size there are bad places; None if unknown."""
    if not bad.ndim or not size or bad.shape in shapes or bad.shape[0] % size:
        return None
    hit = bad.reshape(size, -1).any(1)
    return tuple(int(row) for row in hit.nonzero()[0])


def number(value: Any) -> float:
    """Return the one number that an array holds, of a loss that is no scalar its mean."""
    held = to_numpy(value)
    return float(held.astype("float64").mean()) if held is not None else float("nan")
