"""
How often Python looks for unreachable cycles while a command runs.

An answer takes a tenth of a second, in which nearly all objects that are made are kept: looking
through them every 700 objects, and once more at the end, takes a seventh of that time.
"""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager

OBJECTS = 50_000
"""After so many new objects there may be some to free: one in a hundred configs, for instance."""

_USUAL = gc.get_threshold()


@contextmanager
def rarely() -> Iterator[None]:
    """Look for cycles less often, and not at the end of the process."""
    before = gc.get_threshold()
    gc.set_threshold(OBJECTS, *before[1:])
    atexit.register(gc.freeze)  # what is frozen, the last collection does not look through
    try:
        yield
    finally:
        _grow_old()
        gc.set_threshold(*before)


def _grow_old() -> None:
    """
    Take what was made for looked through: with the usual threshold, it would be at once.

    Nothing escapes the collector for that; a later look through everything finds it.
    """
    if gc.get_freeze_count() == 0:  # else the caller has frozen objects, which are to stay so
        gc.freeze()
        gc.unfreeze()


def as_usual() -> None:
    """Undo it within `rarely`, before code of the user's runs in this process."""
    gc.set_threshold(*_USUAL)
    atexit.unregister(gc.freeze)
