"""Which rows of the arrays that fit was given a batch is made of: those that hold the same."""

from __future__ import annotations

import sys
from typing import Any

from pipedoctor.frameworks.fitting.fed import kind as kind_of
from pipedoctor.frameworks.fitting.library import named, to_numpy

ARRAYS = "arrays"


def given(model: Any) -> dict[str, Any]:
    """Return the data that the running `fit` of this model was given: a callback is told nothing."""
    frame: Any = sys._getframe()  # noqa: SLF001 - there is no other way to one's callers
    while frame is not None:
        held = frame.f_locals
        if frame.f_code.co_name == "fit" and held.get("self") is model and "epochs" in held:
            return {name: held.get(name) for name in ("x", "y")}
        frame = frame.f_back
    return {}


def of(given_: dict[str, Any], x: Any, y: Any) -> tuple[int, ...] | None:
    """Return the number of each row of a batch; None where the data has no rows to compare."""
    if given_.get("x") is None or kind_of(given_["x"]) != ARRAYS:
        return None
    whole, part = _bytes((given_["x"], given_.get("y"))), _bytes((x, y))
    if whole is None or part is None:
        return None
    places: dict[bytes, int] = {}
    for place, row in enumerate(whole):
        places.setdefault(row, place)  # of rows that are equal, the first stands for all
    rows = [places.get(row) for row in part]
    return tuple(row for row in rows if row is not None) if None not in rows else None


def _bytes(structure: Any) -> list[bytes] | None:
    """Return all that each row holds, as bytes; floating point as the 32 bits that are trained."""
    import numpy as np

    columns = []
    for _, leaf in named(structure, ""):
        held = to_numpy(leaf)
        if held is None or not held.ndim or held.dtype.kind not in "biuf":
            return None
        held = held.reshape(len(held), -1)
        columns.append(np.ascontiguousarray(held.astype("float32")))
    if not columns:
        return None
    return [row.tobytes() for row in np.concatenate(columns, axis=1)]
