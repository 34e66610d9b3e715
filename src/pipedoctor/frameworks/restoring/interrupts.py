"""
Ctrl-C while a model is trained for a look: it waits until all can be put back, and then counts.

An interruption may come between any two instructions: between two weights that are put back, too.
So it is only noted, and raised where whoever trains says that it may be: between two steps. The
second one does not wait for that, as it comes from somebody who has waited for a step that hangs;
all is put back then as well. While that is done, nothing interrupts it.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from types import FrameType
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Held:
    """The interruptions that are held back."""

    def __init__(self, before: Any) -> None:
        """Keep what would handle them otherwise."""
        self._before = before
        self._noted: FrameType | None = None
        self._waiting = False
        self.stepping = False
        """Whether a step is being made: only that is broken off by a second one."""

    def note(self, number: int, frame: FrameType | None) -> None:
        """Take one in."""
        if self._waiting and self.stepping:
            self.stepping = False  # from now on, all is put back
            self._waiting = False
            self._before(number, frame)
            return
        self._waiting, self._noted = True, frame

    def let_go(self) -> None:
        """Hand on the one that waits, if there is one: that raises, mostly."""
        if self._waiting:
            self._waiting, self.stepping = False, False
            self._before(signal.SIGINT, self._noted)


_held: list[Held] = []


@contextmanager
def held() -> Iterator[None]:
    """
    Hold interruptions back, but for those that come between two steps; at the end, each counts.

    Only the main thread is interrupted by them; and where somebody ignores them, so do we.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or _held or not callable(before):
        yield
        return
    one = Held(before)
    _held.append(one)
    signal.signal(signal.SIGINT, one.note)
    try:
        yield
    finally:
        one.stepping = False
        _held.clear()
        signal.signal(signal.SIGINT, before)
        one.let_go()


def a_step(method: Callable[P, R]) -> Callable[P, R]:
    """Mark what trains or computes: an interruption that waits comes before it, a second one in it."""

    @wraps(method)
    def stepped(*words: P.args, **keywords: P.kwargs) -> R:
        for one in _held:
            one.let_go()
            one.stepping = True
        try:
            return method(*words, **keywords)
        finally:
            for one in _held:
                one.stepping = False

    return stepped
