"""What an optimizer of Keras remembers: the variables that it would build, none of which are made."""

from __future__ import annotations

import math
import re
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.frameworks.fitting.library import Library

_BITS = re.compile(r"\d+")


def size(variable: Any) -> int:
    """Return the bytes of a variable."""
    shape = variable.shape
    return count(shape) * width(getattr(variable.dtype, "name", variable.dtype))


def count(shape: Any) -> int:
    """Return how many elements a shape has."""
    return math.prod(int(one) for one in shape)


def width(dtype: object) -> int:
    """Return the bytes of an element, by what its type is called: bfloat16 has 2."""
    bits = _BITS.search(str(dtype))
    return max(1, int(bits.group()) // 8) if bits else 1


def states(optimizer: Any, trained: list[Any], library: Library) -> int:
    """
    Return the bytes of what an optimizer keeps for these variables.

    Raises:
        Unavailable: It can't be made a second time, so that it could be asked.

    """
    if library.second:
        return _of_second(optimizer, trained)
    if optimizer.built:
        return sum(size(variable) for variable in optimizer.variables)
    kind = type(optimizer)
    try:
        twin = kind.from_config(optimizer.get_config())
        told = sum(size(variable) for variable in twin.variables)
        return told + built(twin, trained)
    except Exception as error:  # noqa: BLE001 - whatever an own optimizer raises
        raise Unavailable(
            f"what {kind.__name__} keeps can't be told: it can't be made from its get_config() and "
            f"built a second time ({type(error).__name__}: {error})"
        ) from None


def built(twin: Any, trained: list[Any]) -> int:
    """Return the bytes of the variables that an optimizer adds as it is built; none are made."""
    sizes: list[int] = []

    def add(shape: Any, *_words: Any, dtype: Any = None, **_keywords: Any) -> object:
        sizes.append(count(shape) * width(dtype or "float32"))
        return None

    def beside(reference: Any, *_words: Any, **_keywords: Any) -> object:
        sizes.append(size(reference))
        return None

    for one in (twin, getattr(twin, "inner_optimizer", None)):
        if one is not None:
            vars(one)["add_variable"] = add
            vars(one)["add_variable_from_reference"] = beside
    twin.build(trained)
    return sum(sizes)


def _of_second(optimizer: Any, trained: list[Any]) -> int:
    """Return the bytes of an optimizer of Keras 2, which says itself what it makes."""
    held = optimizer.variables
    held = list(held() if callable(held) and not isinstance(held, list) else held)
    if getattr(optimizer, "_built", False) or len(held) > len(trained):
        return sum(size(variable) for variable in held)
    slots = {"Adam": 2, "AdamW": 2, "Nadam": 2, "Adamax": 2, "Adagrad": 1, "Adadelta": 2}
    name = type(optimizer).__name__
    momentum = bool(getattr(optimizer, "momentum", 0))
    more = {"SGD": int(momentum), "RMSprop": 1 + momentum, "Lion": 1}
    each = (slots | more).get(name)
    if each is None:
        raise Unavailable(f"how much {name} of Keras 2 keeps is not known before it is built")
    return each * sum(size(variable) for variable in trained)
