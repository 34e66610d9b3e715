"""One walk over the tree of a script, that notes where everything stands."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from pipedoctor.probes.script.scopes import Binding, Context, Module, Scope, root_names

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
Loop = ast.For | ast.AsyncFor | ast.While
Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
MUTATORS = frozenset({
    "append", "extend", "insert", "remove", "pop", "clear", "update", "setdefault", "popitem",
    "add", "discard", "sort", "reverse",
})  # fmt: skip


def walk(tree: ast.Module) -> Module:
    """Return what a script defines and calls, in the order of its text."""
    module = Module(Scope("", "module", node=tree))
    _Walk(module).block(tree.body, Context(module.scope, 0))
    return module


class _Walk:
    def __init__(self, module: Module) -> None:
        self.module = module
        self.order = 0

    def block(self, body: Sequence[ast.stmt], at: Context) -> None:
        for statement in body:
            self.order += 1
            self.statement(statement, at.at(self.order))
            if isinstance(statement, ast.If) and _leaves(statement.body):
                at = at.branch(statement.lineno, "else")  # what follows is its other arm

    def statement(self, node: ast.stmt, at: Context) -> None:
        method = getattr(self, f"on_{type(node).__name__.lower()}", None)
        if method is None:
            self.parts(node, at)
        else:
            method(node, at)

    def parts(self, node: ast.AST, at: Context) -> None:
        for child in ast.iter_child_nodes(node):
            self.expression(child, at)

    # ------------------------------------------------------------------ what decides and repeats

    def on_if(self, node: ast.If, at: Context) -> None:
        self.expression(node.test, at)
        arms = _constant_arms(node.test)
        if arms is None:
            self.block(node.body, at.branch(node.lineno, "then"))
            self.block(node.orelse, at.branch(node.lineno, "else"))
        else:  # `if __name__ == "__main__"`: as a script, its body runs
            self.block(node.body if arms else node.orelse, at)

    def on_for(self, node: Loop, at: Context) -> None:
        inner = at.loop(node.lineno)
        if isinstance(node, ast.While):
            self.expression(node.test, inner)
        else:
            self.expression(node.iter, at)
            self.bind(node.target, None, (), inner)
        self.block(node.body, inner)
        self.block(node.orelse, at)

    on_asyncfor = on_while = on_for

    def on_with(self, node: ast.With | ast.AsyncWith, at: Context) -> None:
        for item in node.items:
            self.expression(item.context_expr, at)
            if item.optional_vars is not None:
                self.bind(item.optional_vars, None, (), at)
        calls = (item.context_expr for item in node.items)
        self.block(node.body, at.managed(*(one for one in calls if isinstance(one, ast.Call))))

    on_asyncwith = on_with

    def on_try(self, node: ast.Try, at: Context) -> None:
        caught = tuple(name for handler in node.handlers for name in _exceptions(handler.type))
        inner = at.catching(*caught)
        self.block(node.body, inner.branch(node.lineno, "try"))
        for number, handler in enumerate(node.handlers):
            arm = at.branch(node.lineno, f"try except {number}")
            if handler.name:
                self.add(handler.name, Binding(arm))
            self.block(handler.body, arm)
        self.block(node.orelse, at.branch(node.lineno, "try else"))
        self.block(node.finalbody, at)

    on_trystar = on_try

    def on_match(self, node: ast.Match, at: Context) -> None:
        self.expression(node.subject, at)
        for number, case in enumerate(node.cases):
            arm = at.branch(node.lineno, f"case {number}")
            for part in ast.walk(case.pattern):
                for name in (getattr(part, "name", None), getattr(part, "rest", None)):
                    if isinstance(name, str):
                        self.add(name, Binding(arm))
            if case.guard is not None:
                self.expression(case.guard, at)
            self.block(case.body, arm)

    # ------------------------------------------------------------------------- what binds names

    def on_import(self, node: ast.Import, at: Context) -> None:
        for alias in node.names:
            bound = alias.asname or alias.name.partition(".")[0]
            name = alias.name if alias.asname else bound
            self.add(bound, Binding(at, imported=name))
            self.module.imports.append((alias.name, bound, node, at))

    def on_importfrom(self, node: ast.ImportFrom, at: Context) -> None:
        source = "." * node.level + (node.module or "")
        for alias in node.names:
            name, bound = f"{source}.{alias.name}", alias.asname or alias.name
            if bound == "*":
                self.module.stars.append(source)
            else:
                self.add(bound, Binding(at, imported=name))
            self.module.imports.append((name, bound, node, at))

    def on_functiondef(self, node: FunctionNode, at: Context) -> None:
        for outer in (*node.decorator_list, *node.args.defaults, *node.args.kw_defaults):
            if outer is not None:
                self.expression(outer, at)
        scope = self.open(node.name, "function", node, at)
        self.add(node.name, Binding(at, defined=scope))
        self.parameters(node.args, scope)
        self.block(node.body, Context(scope, self.order))

    on_asyncfunctiondef = on_functiondef

    def on_classdef(self, node: ast.ClassDef, at: Context) -> None:
        for outer in (*node.decorator_list, *node.bases, *(k.value for k in node.keywords)):
            self.expression(outer, at)
        scope = self.open(node.name, "class", node, at)
        self.add(node.name, Binding(at, defined=scope))
        # Unlike a function's, the body of a class runs where it stands.
        self.block(node.body, at.within(scope))

    def on_assign(self, node: ast.Assign, at: Context) -> None:
        self.expression(node.value, at)
        added = _added(node)
        if added is not None:
            self.module.additions.append((node.targets[0], added, at))
        for target in node.targets:
            self.bind(target, node.value, (), at)

    def on_annassign(self, node: ast.AnnAssign, at: Context) -> None:
        if node.value is not None:
            self.expression(node.value, at)
            self.bind(node.target, node.value, (), at)
        elif at.scope.kind == "class" and isinstance(node.target, ast.Name):
            self.add(node.target.id, Binding(at))

    def on_augassign(self, node: ast.AugAssign, at: Context) -> None:
        self.expression(node.value, at)
        if isinstance(node.op, ast.Add):
            self.module.additions.append((node.target, node.value, at))
        self.bind(node.target, None, (), at)
        if isinstance(node.target, ast.Name):  # a list is changed in place
            self.module.mutated.add(node.target.id)

    def on_delete(self, node: ast.Delete, at: Context) -> None:
        for target in node.targets:
            if isinstance(target, (ast.Subscript, ast.Attribute)):
                self.bind(target, None, (), at)

    def on_global(self, node: ast.Global | ast.Nonlocal, at: Context) -> None:
        at.scope.elsewhere.update(node.names)

    on_nonlocal = on_global

    def on_return(self, node: ast.Return, at: Context) -> None:
        if node.value is not None:
            self.expression(node.value, at)
            at.scope.returns.append((node.value, at))

    def bind(
        self, target: ast.expr, value: ast.expr | None, path: tuple[int, ...], at: Context
    ) -> None:
        """Note a target of an assignment; None stands for a value that can't be known."""
        if isinstance(target, (ast.Tuple, ast.List)):
            starred = any(isinstance(part, ast.Starred) for part in target.elts)
            for number, part in enumerate(target.elts):
                inner = part.value if isinstance(part, ast.Starred) else part
                self.bind(inner, None if starred else value, (*path, number), at)
            return
        if value is not None:
            self.module.assignments.append((target, value, path, at))
        if isinstance(target, ast.Name):
            self.add(target.id, Binding(at, value, path))
        elif isinstance(target, ast.Attribute):
            self.expression(target.value, at)
            owner = at.scope.owner
            if isinstance(target.value, ast.Name) and owner is not None:
                anywhere = Binding(at, value, path, anywhere=True)
                owner.attributes.setdefault(target.attr, []).append(anywhere)
        elif isinstance(target, ast.Subscript):
            self.expression(target.value, at)
            self.expression(target.slice, at)
            self.module.mutated.update(root_names(target.value))

    def add(self, name: str, binding: Binding) -> None:
        scope = binding.context.scope
        if name in scope.elsewhere:
            outer = scope.parent
            while outer is not None and outer.parent is not None and name not in outer.bindings:
                outer = outer.parent
            scope, binding.anywhere = outer or scope, True
        scope.bindings.setdefault(name, []).append(binding)

    def open(self, name: str, kind: str, node: ast.AST, at: Context) -> Scope:
        outer = at.scope
        full = f"{outer.name}.{name}" if outer.name else name
        # What a method defines inside belongs to the same `self`.
        owner = outer if outer.kind == "class" else outer.owner
        scope = Scope(full, kind, outer, node, at, None if kind == "class" else owner)
        self.module.scopes.append(scope)
        return scope

    def parameters(self, given: ast.arguments, scope: Scope) -> None:
        at = Context(scope, self.order)
        for one in (*given.posonlyargs, *given.args, *given.kwonlyargs):
            scope.bindings.setdefault(one.arg, []).append(Binding(at, parameter=one.arg))
        for rest in (given.vararg, given.kwarg):
            if rest is not None:
                scope.bindings.setdefault(rest.arg, []).append(Binding(at))

    # ---------------------------------------------------------------------------- expressions

    def comprehension(self, node: Comprehension, at: Context) -> None:
        scope = self.open("<comprehension>", "comprehension", node, at)
        inner = at.within(scope).loop(node.lineno)
        for part in node.generators:
            self.bind(part.target, None, (), inner)
        self.parts(node, inner)

    def decision(self, node: ast.IfExp | ast.BoolOp, at: Context) -> None:
        if isinstance(node, ast.IfExp):
            self.expression(node.test, at)
            self.expression(node.body, at.branch(node.lineno, "then"))
            self.expression(node.orelse, at.branch(node.lineno, "else"))
        else:
            self.expression(node.values[0], at)
            for value in node.values[1:]:
                self.expression(value, at.branch(node.lineno, "and"))

    def expression(self, node: ast.AST, at: Context) -> None:
        if isinstance(node, ast.Name):
            self.module.loads[node.id] = self.module.loads.get(node.id, 0) + 1
        elif isinstance(node, (ast.IfExp, ast.BoolOp)):
            self.decision(node, at)
        elif isinstance(node, ast.Call):
            self.module.calls.append((node, at))
            if isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
                self.module.mutated.update(root_names(node.func.value))
            self.parts(node, at)
        elif isinstance(node, ast.NamedExpr):
            self.expression(node.value, at)
            self.bind(node.target, node.value, (), at)
        elif isinstance(node, ast.Lambda):
            scope = self.open("<lambda>", "function", node, at)
            self.parameters(node.args, scope)
            self.expression(node.body, Context(scope, at.order))
        elif isinstance(node, COMPREHENSIONS):
            self.comprehension(node, at)
        else:
            if isinstance(node, (ast.Yield, ast.YieldFrom)):
                at.scope.yields = True
            self.parts(node, at)


def _added(node: ast.Assign) -> ast.expr | None:
    """Return what `total = total + value` adds."""
    value = node.value
    if len(node.targets) != 1 or not isinstance(value, ast.BinOp):
        return None
    itself = isinstance(value.op, ast.Add) and isinstance(node.targets[0], ast.Name)
    return value.right if itself and _same(value.left, node.targets[0]) else None


def _same(one: ast.expr, other: ast.expr) -> bool:
    return isinstance(one, ast.Name) and isinstance(other, ast.Name) and one.id == other.id


def _leaves(body: Sequence[ast.stmt]) -> bool:
    """Whether what follows does not run after this; an error ends all, and is not counted."""
    return isinstance(body[-1], (ast.Return, ast.Continue, ast.Break))


def _constant_arms(test: ast.expr) -> bool | None:
    """Return which way a test goes that is the same in each run as a script, else None."""
    if isinstance(test, ast.Constant):
        return bool(test.value)
    text = ast.unparse(test) if isinstance(test, (ast.Compare, ast.Name, ast.Attribute)) else ""
    if text in {"__name__ == '__main__'", "'__main__' == __name__"}:
        return True
    return False if text in {"TYPE_CHECKING", "typing.TYPE_CHECKING"} else None


def _exceptions(node: ast.expr | None) -> Iterable[str]:
    if node is None:
        return ("",)
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return [ast.unparse(part).rpartition(".")[2] for part in parts]
