"""What went into an operation: in words for people, and as labels that a family is told by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipedoctor.frameworks.tracing.values import looked_at, plain

MOST = 3
"""So many operands are described; a fused operation takes whole lists of them."""

HUGE = 1e30
"""Beyond this lie the numbers that masks are made of: the lowest one of float32, for instance."""


CALLED = {
    "div": {"self": "the dividend", "other": "the divisor"},
    "pow": {"self": "the base", "exponent": "the exponent"},
    **{
        name: {"self": "the prediction", "target": "the target"}
        for name in ("mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss")
    },
}
"""What people call the operands of an operation."""

EVERYWHERE = {
    "other": "the second operand",
    "mat1": "the first matrix",
    "mat2": "the second matrix",
    "exponent": "the exponent",
    "value": "the value",
    "weight": "the weight",
}


def describe(
    function: Any, args: Sequence[Any], kwargs: Mapping[str, Any], bad: Any
) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return sentences about the operands where the result is bad, and the labels of what they are."""
    import torch

    COUNTS = {torch.int64, torch.int32}  # noqa: N806 - a constant that needs torch
    told: list[str] = []
    labels: set[str] = set()
    for name, value in _named(function, args, kwargs):
        if isinstance(value, torch.Tensor):
            labels.add(f"dtype={_dtype(value)}")
            if not value.numel():
                labels.add(f"{name}=empty")
                told.append(f"{_called(function, name)} has no elements")
            elif looked_at(value) or (name == "other" and value.dtype in COUNTS):
                sentence, found = _tensor(value.float() if value.dtype in COUNTS else value, bad)
                told.append(f"{_called(function, name)}{sentence}")
                labels |= {f"{name}={label}" for label in found}
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            labels |= {f"{name}={label}" for label in _of_number(float(value))}
            if value and name in {"exponent", "other", "value"}:
                told.append(f"{_called(function, name)} is {value:g}")
    return tuple(told[:MOST]), frozenset(labels)


def _called(function: Any, name: str) -> str:
    """Return what people call an operand; the names of aten tell them nothing."""
    schema = function._schema  # noqa: SLF001 - its only place
    short = schema.name.partition("::")[2].rstrip("_")
    known = CALLED.get(short, {}).get(name) or EVERYWHERE.get(name)
    if known is not None:
        return known
    if name != "self":
        return name
    pair = any(argument.name == "other" for argument in schema.arguments)
    return "the first operand" if pair else "the input"


def _named(
    function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    names = [argument.name for argument in function._schema.arguments]  # noqa: SLF001 - its only place
    for name, value in (*zip(names, args, strict=False), *kwargs.items()):
        if isinstance(value, (list, tuple)):
            yield from ((f"{name}[{place}]", one) for place, one in enumerate(value[:MOST]))
        else:
            yield name, value


def _tensor(value: Any, bad: Any) -> tuple[str, set[str]]:
    """Describe an operand: at the bad places if it has the same ones, else as a whole."""
    values = plain(value.detach())
    there = _at(values, bad)
    rest = values[values.isfinite()]
    span = f" {_span(rest)}" if rest.numel() else " nowhere finite"
    if there is None:
        return f" is{span}", _labels(values, whole=True)
    labels = _labels(there, whole=False)
    return f" is {_words(there)} there ({span.strip()} in all)", labels


def _at(values: Any, bad: Any) -> Any:
    """Return the values at the bad places of the result; None if it has others."""
    import torch

    try:
        if torch.broadcast_shapes(values.shape, bad.shape) != bad.shape:
            return None
    except RuntimeError:
        return None
    return values.expand(bad.shape)[bad]


def _labels(values: Any, *, whole: bool) -> set[str]:
    """Return what holds of all these values; of a whole operand, what holds of some."""
    masks = {"zero": values == 0, "negative": values < 0, "-inf": values == -float("inf")}
    labels = {name for name, mask in masks.items() if bool(mask.any() if whole else mask.all())}
    anywhere = {"inf": values.isinf(), "nan": values.isnan(), "lowest": values < -HUGE}
    return labels | {name for name, mask in anywhere.items() if bool(mask.any())}


def _of_number(value: float) -> set[str]:
    labels = {"zero"} if value == 0 else set()
    return labels | ({"negative"} if value < 0 else set())


def _words(values: Any) -> str:
    return "NaN" if bool(values.isnan().any()) else _span(values)


def _span(values: Any) -> str:
    low, high = float(values.min()), float(values.max())
    return _number(low) if low == high else f"{_number(low)} to {_number(high)}"


def _number(value: float) -> str:
    return f"{value:.4g}"


def _dtype(value: Any) -> str:
    return str(value.dtype).removeprefix("torch.")
