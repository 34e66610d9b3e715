"""Whether there is memory for what an examination of a model needs besides it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.frameworks.training.memory import KEPT, available
from pipedoctor.units import size

_BITS = re.compile(r"\d+")


def demand(variables: Iterable[Any], what: str) -> None:
    """
    Raise `Unavailable` unless all these variables fit into the free memory once more.

    A part of it is left alone, as on the side of torch: others need some meanwhile.
    """
    takes, free = sum(map(_bytes, variables)), available()
    if free is not None and takes > (1 - KEPT) * free:
        raise Unavailable(
            f"no room for {what}: that takes {size(takes)}, and {size(free)} of memory are free"
        )


def _bytes(variable: Any) -> int:
    """Return the bytes of a variable, by what its type is called: bfloat16 has 2 a number."""
    bits = _BITS.search(str(variable.dtype))
    return math.prod(map(int, variable.shape)) * (int(bits.group()) // 8 if bits else 1)
