"""Arrays and other values in a few numbers: what of them can be looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FEW = 8
"""An array of so many numbers, or a mapping of so many items, is shown whole."""

LONGEST_TEXT = 2000
"""So many characters of a text are kept."""


def described(value: Any) -> dict[str, Any]:
    """Return a value as a record: a text, a number, few numbers, or their extremes and mean."""
    if isinstance(value, str):
        return {"text": value[:LONGEST_TEXT], "characters": len(value)}
    if value is None or isinstance(value, (bool, int, float)):
        return {"value": value}
    if isinstance(value, Mapping):
        return {"items": {str(key): described(item) for key, item in list(value.items())[:FEW]}}
    if isinstance(value, (list, tuple)) and any(isinstance(item, str) for item in value):
        return {"texts": [str(item) for item in value[:LONGEST_TEXT]], "length": len(value)}
    size = getattr(value, "size", None)
    if isinstance(size, tuple) and hasattr(value, "mode"):  # an image of PIL
        return {"kind": f"image {value.mode}"} | _numbers(value)
    return _numbers(value) or {"kind": type(value).__name__}


def kind(value: Any) -> dict[str, Any]:
    """Return shape and dtype of an array; of anything else, what it is."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return {"shape": list(value.shape), "dtype": str(value.dtype).removeprefix("torch.")}
    if isinstance(value, (list, tuple)):
        inner = type(value[0]).__name__ if len(value) else "nothing"
        return {"shape": [len(value)], "dtype": f"list of {inner}"}
    return {"shape": [], "dtype": type(value).__name__}


def to_numpy(value: Any) -> Any:
    """Return an array, of torch, numpy or plain Python, as one of numpy; None if it is none."""
    import numpy as np

    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = value.float() if str(value.dtype) == "torch.bfloat16" else value
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError):
        return None
    return array if array.dtype.kind in "biuf" else None


def _numbers(value: Any) -> dict[str, Any]:
    """Return an array in numbers: all of them where they are few."""
    import numpy as np

    array = to_numpy(value)
    if array is None:
        return {}
    if array.ndim == 0:
        return {"value": array.item()}
    told: dict[str, Any] = {"shape": list(array.shape)}
    if array.size <= FEW and array.ndim == 1:
        return {"values": array.tolist()}
    numbers = array.astype("float64")
    finite = numbers[np.isfinite(numbers)]
    if finite.size:
        told |= {"min": float(finite.min()), "mean": float(finite.mean())}
        told["max"] = float(finite.max())
    if finite.size < numbers.size:
        told["not_finite"] = int(numbers.size - finite.size)
    return told
