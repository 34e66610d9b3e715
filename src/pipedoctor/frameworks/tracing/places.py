"""The lines that an operation comes from: the user's own, and that of the library above torch."""

from __future__ import annotations

import linecache
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

from pipedoctor import frames
from pipedoctor.finding import NOWHERE, Location

_LINE = re.compile(r'File "(.+)", line (\d+), in (.+)')
_OURS = os.path.dirname(os.path.dirname(os.path.dirname(__file__))) + os.sep

Frame = tuple[str, int, str]
Places = tuple[Location, Location]


def here() -> tuple[Places, bool]:
    """
    Return the lines that are being run, the innermost first, and whether there are any.

    In a backward pass only what runs inside it counts: the user's own derivative, or a segment
    that is computed anew. The line that started the pass is not where anything is computed.
    """
    found = places(_running())
    return found, found[1] is not NOWHERE


def of_node(node: Any) -> Places:
    """Return the lines that called the operation which a backward node derives."""
    told = node.metadata.get("traceback_") or ()
    return places(_told(reversed(list(told))))


def places(stack: Iterable[Frame]) -> Places:
    """Return the innermost line of the user's, and the innermost one outside torch."""
    library = NOWHERE
    for path, line, _ in stack:
        if path.startswith((_torch(), "<frozen")):
            continue
        place = Location(path, line, source=linecache.getline(path, line).strip() or None)
        if library is NOWHERE:
            library = place
        if frames.is_users(path):
            return place, library
    return NOWHERE, library


def _running() -> Iterator[Frame]:
    """Yield the frames between the operation and our own replay, the innermost first."""
    frame: Any = sys._getframe()  # noqa: SLF001 - there is no other way to one's callers
    left = False
    while frame is not None:
        path, name = frame.f_code.co_filename, frame.f_code.co_name
        if name == "_engine_run_backward":
            return
        if path.startswith(_OURS):
            if left:
                return
        elif not (path.startswith(_torch()) and name == "__torch_dispatch__"):
            left = True
            yield path, frame.f_lineno, name
        frame = frame.f_back


def _told(lines: Iterable[str]) -> Iterator[Frame]:
    for line in lines:
        match = _LINE.search(line)
        if match is None:
            continue
        if match[1].startswith(_OURS):
            return
        yield match[1], int(match[2]), match[3]


@cache
def _torch() -> str:
    import torch

    return str(os.path.dirname(str(torch.__file__))) + os.sep


def variable(wanted: int, key: Callable[[Any], int]) -> str:
    """Return what the user's code that is running calls the tensor with that key; empty if nothing."""
    import torch

    frame: Any = sys._getframe(1)  # noqa: SLF001 - there is no other way to one's callers
    while frame is not None:
        if frames.users(frame):
            held = frame.f_locals.get("self")
            own = {f"self.{name}": value for name, value in getattr(held, "__dict__", {}).items()}
            for name, value in (*frame.f_locals.items(), *own.items(), *frame.f_globals.items()):
                if isinstance(value, torch.Tensor) and key(value) == wanted:
                    return str(name)
        frame = frame.f_back
    return ""
