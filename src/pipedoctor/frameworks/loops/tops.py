"""To which model of the script a module belongs that was called, and how the script calls it."""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

from pipedoctor import frames
from pipedoctor.finding import NOWHERE, Location

LONGEST = 200
"""Of a longer line, so many characters are kept."""


def top(module: Any) -> tuple[Any, str]:
    """
    Return the largest model in reach of the script's code that holds a module, and its name.

    A script may call the parts of its model one by one; what it trains is the whole. The name is
    that of the variable; that of the class where no variable holds it.
    """
    best, name, size = module, "", _size(module)
    for variable, value in _modules():
        if value is module and not name:
            name = variable
        # A wrapper, such as torch.compile makes, holds no more than what it wraps.
        if value is not best and _size(value) > size and any(m is module for m in value.modules()):
            best, name, size = value, variable, _size(value)
    return best, name or type(best).__name__


def variable(thing: Any, otherwise: str) -> str:
    """Return the name of the variable that holds a thing in the code that is running."""
    for frame in users():
        for name, value in _variables(frame):
            if value is thing:
                return name
    return otherwise


def line(folder: str) -> Location:
    """Return the innermost line of the user's code that is running."""
    for frame in users():
        path = frame.f_code.co_filename
        full = os.path.join(folder, path)
        inside = full.startswith(folder.rstrip(os.sep) + os.sep)
        source = (linecache.getline(full, frame.f_lineno) or "").strip()[:LONGEST]
        shown = os.path.relpath(full, folder) if inside else path
        return Location(shown, frame.f_lineno, source=source or None)
    return NOWHERE


def _size(module: Any) -> int:
    return sum(1 for _ in module.parameters())


def users() -> Iterator[FrameType]:
    """Yield the frames of the user's code that are running, the innermost first."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the only way to one's callers
    while frame is not None:
        if frames.users(frame):
            yield frame
        frame = frame.f_back


def _modules() -> Iterator[tuple[str, Any]]:
    import torch

    for frame in users():
        for name, value in _variables(frame):
            if isinstance(value, torch.nn.Module):
                yield name, value


def _variables(frame: FrameType) -> Iterator[tuple[str, Any]]:
    """Yield the variables of a frame, and what `self` holds; at last those of the module."""
    for name, value in list(frame.f_locals.items()):
        yield name, value
        if name == "self":
            yield from ((f"self.{key}", held) for key, held in _held(value))
    if frame.f_locals is not frame.f_globals:
        yield from list(frame.f_globals.items())


def _held(thing: Any) -> list[tuple[str, Any]]:
    held = getattr(thing, "__dict__", {})
    return [*held.items(), *held.get("_modules", {}).items()]
