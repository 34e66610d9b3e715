"""What an expression of a script may mean."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from pipedoctor.probes.script.scopes import Context, Scope

MOST = 8
"""More meanings than this are as good as none."""


class Literal:
    """A value that stands in the script."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        """Keep it."""
        self.value = value


class Symbol:
    """Something imported, by its name with its package."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        """Keep it."""
        self.name = name


class Defined:
    """A function or class of the script; `bound` if it is reached through an object."""

    __slots__ = (
        "bound",
        "scope",
    )

    def __init__(self, scope: Scope, bound: bool = False) -> None:
        """Keep it."""
        self.scope = scope
        self.bound = bound


class Instance:
    """The `self` of a class of the script."""

    __slots__ = ("scope",)

    def __init__(self, scope: Scope) -> None:
        """Keep it."""
        self.scope = scope


class Made:
    """What a call returns."""

    __slots__ = ("call",)

    def __init__(self, call: ast.Call) -> None:
        """Keep it."""
        self.call = call


class Member:
    """An attribute of what a call returns, or of `self`, that the script does not set."""

    __slots__ = (
        "name",
        "of",
    )

    def __init__(self, of: Made | Instance, name: str) -> None:
        """Keep it."""
        self.of = of
        self.name = name


class Items:
    """A list or tuple whose elements are not all literals."""

    __slots__ = (
        "context",
        "elements",
    )

    def __init__(self, elements: tuple[ast.expr, ...], context: Context) -> None:
        """Keep it."""
        self.elements = elements
        self.context = context


class Unsure:
    """The type of `UNSURE`."""


UNSURE = Unsure()
Meaning = Literal | Symbol | Defined | Instance | Made | Member | Items | Unsure
Meanings = tuple[Meaning, ...]
UNSURE_ONLY: Meanings = (UNSURE,)


def distinct(meanings: Iterable[Meaning]) -> Meanings:
    """Return each meaning once; `UNSURE` alone where there are none, or too many."""
    found: list[Meaning] = []
    seen: set[object] = set()
    for meaning in meanings:
        key: object = meaning
        if isinstance(meaning, Literal):
            key = (type(meaning.value), repr(meaning.value))
        elif isinstance(meaning, (Made, Instance, Defined)):
            key = (type(meaning), id(_source(meaning)))
        elif isinstance(meaning, Member):
            key = (id(_source(meaning.of)), meaning.name)
        if key not in seen:
            seen.add(key)
            found.append(meaning)
    return tuple(found) if 0 < len(found) <= MOST else UNSURE_ONLY


def _source(meaning: Made | Instance | Defined) -> ast.Call | Scope:
    return meaning.call if isinstance(meaning, Made) else meaning.scope
