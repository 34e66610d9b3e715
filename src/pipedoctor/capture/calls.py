"""
Where in a text of Python a call stands that is being executed, and where its keywords are.

A frame tells where its present call ends since Python 3.11; no two calls end at the same place.
Before, only the line is known, and a call is found where just one on that line can be meant.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from types import CodeType

from pipedoctor.masking import is_secret


@dataclass(frozen=True)
class Spot:
    """The line that is executed, and where the call on it ends: its line, and its column in bytes."""

    line: int
    end: tuple[int, int] | None = None


@dataclass(frozen=True)
class Call:
    """One call of a text: its first line, and the line of each keyword that is written in it."""

    line: int
    keywords: Mapping[str, int] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    """Passwords and tokens that are written in it; a report must not show them."""


def spot(code: CodeType, instruction: int, line: int) -> Spot:
    """Return what is known of the place of a frame's (or a traceback's) present instruction."""
    positions = getattr(code, "co_positions", None)
    if positions is None or instruction < 0:
        return Spot(line)
    _, end, _, column = next(islice(positions(), instruction // 2, None), (None,) * 4)
    return Spot(line) if end is None or column is None else Spot(line, (end, column))


def find(text: str, place: Spot, names: frozenset[str] = frozenset()) -> Call | None:
    """
    Return the call at a place of a text.

    `names` are what the call may be by: a class, or a method of one. They decide where several
    calls on a line come into question. None is returned where it can't be told, or the text is
    no Python.
    """
    calls = _calls(text)
    if place.end is not None:
        found = [call for call in calls if (call.end_lineno, call.end_col_offset) == place.end]
    else:
        found = [call for call in calls if place.line in _lines(call)]
        if len(found) > 1:
            found = [call for call in found if _name(call) in names]
    if len(found) != 1:
        return None
    (call,) = found
    return Call(call.lineno, dict(_keywords(call)), tuple(_secrets(call)))


@lru_cache(maxsize=32)
def _calls(text: str) -> tuple[ast.Call, ...]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    return tuple(node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _lines(call: ast.Call) -> set[int]:
    """Return the lines that a frame may be said to be at: of a method, that of its name."""
    return {call.lineno, call.func.end_lineno or call.lineno}


def _name(call: ast.Call) -> str | None:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else None


def _keywords(call: ast.Call) -> Iterator[tuple[str, int]]:
    """Yield the keywords and their lines, those of a mapping that is written out in it too."""
    for keyword in call.keywords:
        if keyword.arg is not None:
            yield keyword.arg, keyword.lineno
        elif isinstance(keyword.value, ast.Dict):
            for key in keyword.value.keys:
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value, key.lineno


def _secrets(call: ast.Call) -> Iterator[str]:
    for node in ast.walk(call):
        if isinstance(node, ast.keyword):
            yield from _secret(node.arg, node.value)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                yield from _secret(key.value if isinstance(key, ast.Constant) else None, value)


def _secret(name: object, value: ast.expr) -> Iterator[str]:
    held = value.value if isinstance(value, ast.Constant) else None
    if isinstance(held, str) and held and is_secret(name):
        yield held
