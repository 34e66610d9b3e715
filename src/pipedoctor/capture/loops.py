"""What a session wants of the training loops that a script has of its own."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass

RANGE = 40
"""A range test has so many batches, if there are so many: those of its rising rate."""


def batches_wanted(wishes: Container[str]) -> int:
    """Return how many of the first batches are kept for what is to be tried on them."""
    return RANGE if "range_test" in wishes else int("overfit" in wishes)


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
    batches: int = 0
    """So many of the first batches are kept, for what is to be tried on them."""
