"""
Where everything in a script stands: scopes, the names bound in them, and every call.

`walk` fills these in; what the names stand for is worked out in `values`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MOST = 100
"""A name that is bound more often than this in one function is not followed."""


@dataclass(eq=False, repr=False)
class Scope:
    """A module, function, class or comprehension, and the names that it binds."""

    name: str
    kind: str
    parent: Scope | None = None
    node: ast.AST | None = None
    context: Context | None = None
    """Where its definition stands."""
    owner: Scope | None = None
    """The class that a method belongs to."""
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    elsewhere: set[str] = field(default_factory=set)
    """Names declared global or nonlocal."""
    returns: list[tuple[ast.expr, Context]] = field(default_factory=list)
    attributes: dict[str, list[Binding]] = field(default_factory=dict)
    """Of a class: what its methods assign to `self`."""
    yields: bool = False


class Context:
    """The place of a statement, or of a part of it that need not run; `order` is its number."""

    __slots__ = ("branches", "caught", "loops", "managers", "order", "scope")

    def __init__(  # noqa: PLR0913, PLR0917 - one argument for each thing that a place is made of
        self,
        scope: Scope,
        order: int,
        loops: tuple[int, ...] = (),
        branches: tuple[tuple[int, str], ...] = (),
        caught: tuple[str, ...] = (),
        managers: tuple[ast.Call, ...] = (),
    ) -> None:
        """Stand in a scope."""
        self.scope = scope
        self.order = order
        self.loops = loops
        self.branches = branches
        self.caught = caught
        self.managers = managers

    def at(self, order: int) -> Context:
        """Return the place of another statement of the same block."""
        return self._but(order=order)

    def within(self, scope: Scope) -> Context:
        """Return the same place inside a class or comprehension, which run where they stand."""
        return self._but(scope=scope)

    def loop(self, line: int) -> Context:
        """Return the same place inside a loop."""
        return self._but(loops=(*self.loops, line))

    def branch(self, line: int, arm: str) -> Context:
        """Return the same place inside one arm of a decision."""
        return self._but(branches=(*self.branches, (line, arm)))

    def catching(self, *names: str) -> Context:
        """Return the same place where these exceptions are caught."""
        return self._but(caught=(*self.caught, *names))

    def managed(self, *calls: ast.Call) -> Context:
        """Return the same place inside a `with` of these calls."""
        return self._but(managers=(*self.managers, *calls))

    def _but(self, **changed: Any) -> Context:
        held = {name: getattr(self, name) for name in self.__slots__}
        return Context(**(held | changed))


class Binding:
    """
    One place where a name gets a value: an expression, an import, a definition, a parameter.

    `path` leads into the expression, for targets that unpack it. `anywhere` says that its place
    in the text tells nothing about when it happens.
    """

    __slots__ = ("anywhere", "context", "defined", "imported", "parameter", "path", "value")

    def __init__(  # noqa: PLR0913 - one keyword for each kind of binding
        self,
        context: Context,
        value: ast.expr | None = None,
        path: tuple[int, ...] = (),
        *,
        imported: str | None = None,
        defined: Scope | None = None,
        parameter: str | None = None,
        anywhere: bool = False,
    ) -> None:
        """Stand at a place."""
        self.context = context
        self.value = value
        self.path = path
        self.imported = imported
        self.defined = defined
        self.parameter = parameter
        self.anywhere = anywhere


@dataclass(eq=False, repr=False)
class Module:
    """All that the walk met."""

    scope: Scope
    scopes: list[Scope] = field(default_factory=list)
    calls: list[tuple[ast.Call, Context]] = field(default_factory=list)
    imports: list[tuple[str, str, ast.stmt, Context]] = field(default_factory=list)
    assignments: list[tuple[ast.expr, ast.expr, tuple[int, ...], Context]] = field(
        default_factory=list
    )
    additions: list[tuple[ast.expr, ast.expr, Context]] = field(default_factory=list)
    stars: list[str] = field(default_factory=list)
    loads: dict[str, int] = field(default_factory=dict)
    """How often each name is read."""
    mutated: set[str] = field(default_factory=set)
    """Names whose object is changed in place somewhere."""


def reaching(found: list[Binding], at: Context) -> list[Binding]:
    """Return the bindings of a name that may hold at a place of the same function."""
    if len(found) > MOST:
        return []
    before: list[Binding] = []
    for binding in found:
        here = binding.context
        if binding.anywhere:
            before.append(binding)
        elif here.order < at.order or binding.parameter is not None:
            if at.branches[: len(here.branches)] == here.branches and _kept(here.loops, at.loops):
                # It stands on every way to the place: what held before it is gone.
                before = [b for b in before if b.anywhere]
            elif exclusive(here, at):
                continue
            before.append(binding)
    again = [
        binding
        for binding in found
        if binding.context.order >= at.order and set(binding.context.loops) & set(at.loops)
    ]
    return before + again


def _kept(inner: tuple[int, ...], outer: tuple[int, ...]) -> bool:
    """Whether a place within these loops is reached whenever the other one is."""
    return outer[: len(inner)] == inner


def exclusive(one: Context, other: Context) -> bool:
    """Whether one pass through their function comes to one of two places only."""
    arms = dict(one.branches)
    return not set(one.loops) & set(other.loops) and any(
        line in arms and arms[line] != arm and not arm.startswith("try")
        for line, arm in other.branches
    )


def root_names(node: ast.expr) -> Iterator[str]:
    """Yield the name that a chain of attributes and subscripts begins with."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        if isinstance(node, ast.Attribute):
            yield node.attr
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id
