"""Which layer or loss is being called, and which line of whose code runs."""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pipedoctor import frames
from pipedoctor.finding import NOWHERE, Location
from pipedoctor.frameworks.fitting.library import Library

OURS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(__file__)))) + os.sep

STOP = "one_step"
"""The function of ours that starts a step: what stands above it is not the user's step."""


class Calls:
    """The layers and losses that are being called, the innermost last."""

    def __init__(self, library: Library) -> None:
        """Know of no call yet."""
        self._library = library
        self._open: list[str] = []
        self._note: Callable[[], None] = lambda: None

    @property
    def current(self) -> str:
        """The path of the innermost one, empty outside of all."""
        return self._open[-1] if self._open else ""

    @contextmanager
    def watched(self, note: Callable[[], None] | None = None) -> Iterator[None]:
        """See every call; `note` is called whenever another one is the innermost."""
        self._note = note or (lambda: None)
        second = self._library.second
        kinds = [
            self._library.module("engine.base_layer" if second else "layers.layer").Layer,
            self._library.module("losses" if second else "losses.loss").Loss,
        ]
        originals = [kind.__call__ for kind in kinds]
        for kind, original in zip(kinds, originals, strict=True):
            kind.__call__ = self._wrapped(original)
        try:
            yield
        finally:
            for kind, original in zip(kinds, originals, strict=True):
                kind.__call__ = original

    def _wrapped(self, original: Any) -> Any:
        def called(thing: Any, *words: Any, **keywords: Any) -> Any:
            self._open.append(self._path(thing))
            self._note()
            try:
                return original(thing, *words, **keywords)
            finally:
                self._open.pop()
                self._note()

        return called

    def _path(self, thing: Any) -> str:
        """Return the path of a layer; one of Keras 2 knows only its name, and is where it is called."""
        name = str(getattr(thing, "name", None) or "")
        if self._library.second and self._open:
            return f"{self._open[-1]}/{name}"
        return str(getattr(thing, "path", None) or name)


def location(path: str, line: int) -> Location:
    """Return a line of a file, with what stands there."""
    return Location(path, line, source=linecache.getline(path, line).strip() or None)


def running(above: Any = None) -> Iterator[tuple[str, str, int, Any]]:
    """Yield file, function, line and frame of what runs, the innermost first, up to our own step."""
    frame: Any = above or sys._getframe(1)  # noqa: SLF001 - there is no other way to one's callers
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith(OURS):
            if code.co_name == STOP:
                return
        elif not code.co_filename.startswith("<frozen"):
            yield code.co_filename, code.co_name, frame.f_lineno, frame
        frame = frame.f_back


def lines(found: list[tuple[str, int]], engine: str) -> tuple[Location, Location]:
    """Return the innermost line of the user's, and the innermost one outside the `engine`."""
    library = NOWHERE
    for path, line in found:
        if f"{os.sep}{engine}{os.sep}" in path and not frames.is_users(path):
            continue
        if library is NOWHERE:
            library = location(path, line)
        if frames.is_users(path):
            return location(path, line), library
    return NOWHERE, library
