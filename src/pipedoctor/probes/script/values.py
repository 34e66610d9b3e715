"""
What the expressions of a script stand for, as far as that can be told without running it.

An expression has one or more possible meanings, of which `UNSURE` is one: all values that may
reach it are followed, and nothing is claimed where they differ.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Any

from pipedoctor.fact import UNKNOWN
from pipedoctor.probes.script import arguments
from pipedoctor.probes.script.literals import LONGEST, combine, is_number
from pipedoctor.probes.script.meanings import (
    UNSURE,
    UNSURE_ONLY,
    Defined,
    Instance,
    Items,
    Literal,
    Made,
    Meaning,
    Meanings,
    Member,
    Symbol,
    distinct,
)
from pipedoctor.probes.script.scopes import (
    MOST,
    Binding,
    Context,
    Module,
    Scope,
    reaching,
    root_names,
)

RETURN_SELF = frozenset({"to", "cuda", "cpu", "half", "float", "bfloat16", "requires_grad_"})
"""Methods of modules that return the module."""


class Values:
    """The meanings of the expressions of one script, each worked out once."""

    def __init__(self, module: Module) -> None:
        """Take what the walk met."""
        self.module = module
        self._known: dict[tuple[ast.expr, Context], Meanings] = {}
        self._open: set[ast.expr] = set()
        self._sites: dict[str, list[tuple[ast.Call, Context]]] = {}
        self._contexts = dict(module.calls)
        for call, context in module.calls:
            if isinstance(call.func, ast.Name):
                self._sites.setdefault(call.func.id, []).append((call, context))

    def literal(self, node: ast.expr, at: Context) -> Any:
        """Return the only value that an expression can have, else `UNKNOWN`."""
        found = self.of(node, at)
        if len(found) == 1 and isinstance(found[0], Literal):
            return found[0].value
        return UNKNOWN

    def of(self, node: ast.expr, at: Context) -> Meanings:
        """Return what an expression that stands at this place may mean."""
        key = (node, at)
        if key in self._known:
            return self._known[key]
        if node in self._open:  # it depends on itself
            return UNSURE_ONLY
        self._open.add(node)
        try:
            found = self._known[key] = distinct(self._find(node, at))
        finally:
            self._open.discard(node)
        return found

    def _find(self, node: ast.expr, at: Context) -> Iterable[Meaning]:
        if isinstance(node, ast.Constant):
            return (Literal(node.value),)
        find = getattr(self, f"_{type(node).__name__.lower()}", None)
        found: Iterable[Meaning] = UNSURE_ONLY if find is None else find(node, at)
        return found

    # ------------------------------------------------------------------------------------ names

    def _name(self, node: ast.Name, at: Context) -> Iterator[Meaning]:
        bindings = self.reaching(node.id, at)
        if bindings is None:
            stars = self.module.stars
            yield Symbol(f"{stars[0]}.{node.id}" if len(stars) == 1 else node.id)
        elif not bindings:
            yield UNSURE
        for binding in bindings or ():
            for meaning in self.bound(binding):
                yield self._unless_changed(meaning, node.id)

    def reaching(self, name: str, at: Context) -> list[Binding] | None:
        """Return the bindings that a name may have at a place; None if the script has none."""
        scope: Scope | None = at.scope
        while scope is not None:
            hidden = scope.kind == "class" and scope is not at.scope
            if name in scope.bindings and not hidden and name not in scope.elsewhere:
                found = scope.bindings[name]
                if scope is at.scope:
                    return reaching(found, at)
                # When a function reads a name from outside, it may have any of its values.
                return found if len(found) <= MOST else []
            scope = scope.parent
        return None

    def bound(self, binding: Binding) -> Meanings:
        """Return what a binding gives its name."""
        if binding.imported is not None:
            return (Symbol(binding.imported),)
        if binding.defined is not None:
            return (Defined(binding.defined),)
        if binding.parameter is not None:
            return self._parameter(binding)
        if binding.value is None:
            return UNSURE_ONLY
        found = self.of(binding.value, binding.context)
        for number in binding.path:
            found = distinct(m for meaning in found for m in self._element(meaning, number))
        return found

    def _unless_changed(self, meaning: Meaning, name: str) -> Meaning:
        changes = isinstance(meaning, Literal) and isinstance(meaning.value, (list, dict, set))
        return UNSURE if changes and name in self.module.mutated else meaning

    def _parameter(self, binding: Binding) -> Meanings:
        """Return what a parameter is given, if all calls of its function are to be seen."""
        scope, name = binding.context.scope, binding.parameter
        if scope.owner is not None and scope.parent is scope.owner:
            first = next(iter(scope.bindings), None)
            plain = not getattr(scope.node, "decorator_list", None)
            return (Instance(scope.owner),) if name == first and plain else UNSURE_ONLY
        node = scope.node
        if not isinstance(node, ast.FunctionDef) or not self.all_calls_seen(scope):
            return UNSURE_ONLY
        found: list[Meaning] = []
        for call, at in self._sites[node.name]:
            found += self._passed(scope, node.args, str(name), call, at)
        return distinct(found)

    def _passed(
        self, scope: Scope, parameters: ast.arguments, name: str, call: ast.Call, at: Context
    ) -> Meanings:
        if arguments.spreads(call):
            return UNSURE_ONLY
        given = arguments.given(parameters, name, call)
        if given is not None:
            return self.of(given, at)
        default = arguments.default(parameters, name)
        if default is None or scope.context is None:
            return UNSURE_ONLY
        return self.of(default, scope.context)

    def all_calls_seen(self, scope: Scope) -> bool:
        """Whether a function is only ever called, and by its one name."""
        node = scope.node
        if not isinstance(node, ast.FunctionDef) or node.decorator_list:
            return False
        sites = self._sites.get(node.name, [])
        if not 0 < len(sites) <= MOST or self.module.loads.get(node.name) != len(sites):
            return False
        holders = [s for s in (self.module.scope, *self.module.scopes) if node.name in s.bindings]
        return len(holders) == 1 and len(holders[0].bindings[node.name]) == 1

    # ------------------------------------------------------------------------------ expressions

    def _attribute(self, node: ast.Attribute, at: Context) -> Iterator[Meaning]:
        for base in self.of(node.value, at):
            for meaning in self._member(base, node.attr):
                yield self._unless_changed(meaning, node.attr)

    def _member(self, base: Meaning, name: str) -> Iterable[Meaning]:
        if isinstance(base, Symbol):
            return (Symbol(f"{base.name}.{name}"),)
        if isinstance(base, Instance):
            found = self.attribute(base.scope, name)
            return (Member(base, name),) if found is None else found
        if isinstance(base, Made):
            classes = [m.scope for m in self.callee(base.call) if isinstance(m, Defined)]
            found = self.attribute(classes[0], name) if len(classes) == 1 else None
            return (Member(base, name),) if found is None else found
        return UNSURE_ONLY

    def attribute(self, scope: Scope, name: str) -> Meanings | None:
        """Return what an attribute of the objects of a class may be; None if it comes of a base."""
        found = [*scope.attributes.get(name, ()), *scope.bindings.get(name, ())]
        if not found:
            return None
        if len(found) > MOST:
            return UNSURE_ONLY
        meanings = [m for binding in found for m in self.bound(binding)]
        return distinct(
            Defined(m.scope, bound=True) if isinstance(m, Defined) else m for m in meanings
        )

    def callee(self, call: ast.Call) -> Meanings:
        """Return what a call calls; where it stood was noted by the walk."""
        return self.of(call.func, self._contexts[call])

    def _call(self, node: ast.Call, at: Context) -> Iterator[Meaning]:
        for meaning in self.of(node.func, at):
            if isinstance(meaning, Defined) and self._returns(meaning.scope):
                for value, context in meaning.scope.returns:
                    yield from self.of(value, context)
            elif isinstance(meaning, Member) and meaning.name in RETURN_SELF:
                yield meaning.of
            elif isinstance(meaning, Symbol) and meaning.name == "dict" and not node.args:
                yield from self._mapping(node, at)
            else:
                yield Made(node)

    @staticmethod
    def _returns(scope: Scope) -> bool:
        node = scope.node
        plain = isinstance(node, ast.FunctionDef) and not node.decorator_list
        return plain and bool(scope.returns) and not scope.yields

    def _mapping(self, node: ast.Call, at: Context) -> Meanings:
        held = {k.arg: self.literal(k.value, at) for k in node.keywords}
        if None in held or any(value is UNKNOWN for value in held.values()):
            return (Made(node),)
        return (Literal(held),)

    def _tuple(self, node: ast.Tuple | ast.List, at: Context) -> Meanings:
        if any(isinstance(part, ast.Starred) for part in node.elts):
            return UNSURE_ONLY
        held = [self.literal(part, at) for part in node.elts]
        if any(value is UNKNOWN for value in held):
            return (Items(tuple(node.elts), at),)
        return (Literal(tuple(held) if isinstance(node, ast.Tuple) else held),)

    _list = _tuple

    def _dict(self, node: ast.Dict, at: Context) -> Meanings:
        if None in node.keys:
            return UNSURE_ONLY
        keys = [self.literal(key, at) for key in node.keys if key is not None]
        values = [self.literal(value, at) for value in node.values]
        plain = all(isinstance(key, (str, int, float, bool, type(None))) for key in keys)
        if not plain or any(value is UNKNOWN for value in values):
            return UNSURE_ONLY
        return (Literal(dict(zip(keys, values, strict=True))),)

    def _subscript(self, node: ast.Subscript, at: Context) -> Iterator[Meaning]:
        changed = any(name in self.module.mutated for name in root_names(node.value))
        index = self.literal(node.slice, at)
        for meaning in self.of(node.value, at):
            yield from UNSURE_ONLY if changed else self._element(meaning, index)

    def _element(self, meaning: Meaning, index: Any) -> Meanings:
        if isinstance(meaning, Items) and isinstance(index, int):
            if -len(meaning.elements) <= index < len(meaning.elements):
                return self.of(meaning.elements[index], meaning.context)
        elif isinstance(meaning, Literal) and isinstance(meaning.value, (list, tuple, dict)):
            try:
                return (Literal(meaning.value[index]),)
            except (LookupError, TypeError):
                return UNSURE_ONLY
        return UNSURE_ONLY

    def _unaryop(self, node: ast.UnaryOp, at: Context) -> Meanings:
        value = self.literal(node.operand, at)
        if isinstance(node.op, ast.Not) and isinstance(value, bool):
            return (Literal(not value),)
        if isinstance(node.op, (ast.USub, ast.UAdd)) and is_number(value):
            return (Literal(-value if isinstance(node.op, ast.USub) else value),)
        return UNSURE_ONLY

    def _binop(self, node: ast.BinOp, at: Context) -> Meanings:
        result = combine(node.op, self.literal(node.left, at), self.literal(node.right, at))
        return UNSURE_ONLY if result is UNKNOWN else (Literal(result),)

    def _joinedstr(self, node: ast.JoinedStr, at: Context) -> Meanings:
        text = ""
        for part in node.values:
            inner = part.value if isinstance(part, ast.FormattedValue) else part
            value = self.literal(inner, at)
            plain = isinstance(part, ast.Constant) or (
                isinstance(part, ast.FormattedValue)
                and part.conversion == -1
                and part.format_spec is None
                and isinstance(value, (str, int))
            )
            if not plain or len(text) > LONGEST:
                return UNSURE_ONLY
            text += str(value)
        return (Literal(text),)

    def _ifexp(self, node: ast.IfExp, at: Context) -> Meanings:
        return (*self.of(node.body, at), *self.of(node.orelse, at))

    def _boolop(self, node: ast.BoolOp, at: Context) -> Meanings:
        return tuple(meaning for value in node.values for meaning in self.of(value, at))

    def _namedexpr(self, node: ast.NamedExpr, at: Context) -> Meanings:
        return self.of(node.value, at)
