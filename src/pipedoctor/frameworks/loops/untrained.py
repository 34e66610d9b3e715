"""Which parameters still hold the random numbers that torch made them with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod, sqrt
from typing import Any

ENOUGH = 64
"""Of fewer elements, the numbers tell too little."""

NEAR = 0.1
"""How far the mean square may be off that of the uniform distribution, as a share of it."""


def as_made(parameters: Mapping[str, Any]) -> Iterator[str]:
    """
    Yield the names of weights that are as `Linear` and the convolutions of torch make them.

    They draw from a uniform distribution between -1 and 1 over the root of what goes into a unit;
    a weight that was trained, or drawn otherwise, goes beyond that or is far from uniform. Biases
    beside such a weight count with it.
    """
    fresh = {name for name, parameter in parameters.items() if _uniform(parameter)}
    for name in parameters:
        module, _, last = name.rpartition(".")
        beside = f"{module}.weight" if module else "weight"
        if name in fresh or (last == "bias" and beside in fresh):
            yield name


def _uniform(parameter: Any) -> bool:
    if parameter.ndim < 2 or parameter.numel() < ENOUGH or not parameter.is_floating_point():
        return False
    values = parameter.detach().float()
    bound = 1 / sqrt(prod(parameter.shape[1:]))
    largest = float(values.abs().max())
    square = float(values.square().mean()) * 3 / bound**2
    # Of so few numbers, the largest comes near to the bound, and none beyond it.
    return 0.9 * bound <= largest <= bound * (1 + 1e-6) and abs(square - 1) <= NEAR + 1 / sqrt(
        parameter.numel()
    )
