"""Which parameters still hold the random numbers that they were made with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod, sqrt
from typing import Any

ENOUGH = 64
"""Of fewer elements, the numbers tell too little."""

NEAR = 0.1
"""How far the mean square may be off that of the distribution, as a share of it."""

SIGMAS = 3.0
"""Of few elements, the mean square may be off by so many standard deviations of its own."""

MOST = 1 << 18
"""Of a larger matrix, so many elements are looked at."""

TAIL = 6.0
"""Of so few numbers of a normal distribution, none is so many times its spread."""


def as_made(parameters: Mapping[str, Any], spread: float | None = None) -> Iterator[str]:
    """
    Yield the names of weights that are as `Linear` and the convolutions of torch make them.

    They draw from a uniform distribution between -1 and 1 over the root of what goes into a unit;
    a weight that was trained, or drawn otherwise, goes beyond that or is far from uniform. Biases
    beside such a weight count with it. Models of transformers draw from a normal distribution
    whose `spread` their config states, and begin with biases of zero.
    """
    fresh = {
        name
        for name, parameter in parameters.items()
        if _looked_at(parameter)
        and (
            _uniform(parameter)
            or (spread and _normal(parameter, _beside(name, parameters), spread))
        )
    }
    for name in parameters:
        module, _, last = name.rpartition(".")
        beside = f"{module}.weight" if module else "weight"
        if name in fresh or (last == "bias" and beside in fresh):
            yield name


def _looked_at(parameter: Any) -> bool:
    several = parameter.ndim > 1 and parameter.numel() >= ENOUGH
    return bool(several and parameter.is_floating_point() and not parameter.is_meta)


def _beside(name: str, parameters: Mapping[str, Any]) -> Any:
    """Return the bias of a weight, if it has one."""
    module, _, last = name.rpartition(".")
    bias = f"{module}.bias" if module else "bias"
    return parameters.get(bias) if last == "weight" else None


def _values(parameter: Any) -> Any:
    return parameter.detach().flatten()[:MOST].float()


def _uniform(parameter: Any) -> bool:
    values = _values(parameter)
    bound = 1 / sqrt(prod(parameter.shape[1:]))
    largest = float(values.abs().max())
    square = float(values.square().mean()) * 3 / bound**2
    # Of so few numbers, the largest comes near to the bound, and none beyond it. The square of
    # such a number has 4/5 of the square of its own mean for variance.
    room = max(NEAR, SIGMAS * sqrt(0.8 / len(values)))
    return (
        0.9 * bound <= largest <= bound * (1 + 1e-6)
        and abs(square - 1) <= room
        and _around_zero(values / (bound / sqrt(3)))
    )


def _around_zero(values: Any) -> bool:
    """Whether the mean of numbers that spread by 1 is no further from 0 than chance has it."""
    return abs(float(values.mean())) <= SIGMAS * 2 / sqrt(len(values))


def _normal(parameter: Any, bias: Any, spread: float) -> bool:
    if bias is not None and bool(bias.detach().any()):
        return False
    values = _values(parameter) / spread
    room = max(NEAR, SIGMAS * sqrt(2 / len(values)))
    return (
        abs(float(values.square().mean()) - 1) <= room
        and _around_zero(values)
        and float(values.abs().max()) <= TAIL
    )
