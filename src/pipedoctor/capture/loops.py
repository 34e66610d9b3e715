"""What a session wants of the training loops that a script has of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class LoopWish:
    """
    How long loops are watched: so many steps of all optimizers, and so many seconds.

    `further` says whether the script may come to another loop that is worth waiting for. `again`
    is told of the step that made a value which is not finite; it may run the script anew, and then
    does not come back. In that run, `failing` is the step of which each operation is looked at.
    """

    steps: int
    seconds: float
    further: Callable[[], bool]
    again: Callable[[int], None]
    failing: int | None = None
    first: bool = False
    """Whether the first batch is to be learned."""
