"""The index of a training script: parsed once, resolved, and handed on as plain records."""

from __future__ import annotations

import ast
from typing import Any

from pipedoctor import masking
from pipedoctor.fact import UNKNOWN, Cost, Split, Unavailable
from pipedoctor.facts.script import (
    Assignment,
    Call,
    Class,
    Function,
    Import,
    Place,
    Script,
    Value,
)
from pipedoctor.finding import Location
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes.script.meanings import Items, Literal, Made, Meanings
from pipedoctor.probes.script.names import Names
from pipedoctor.probes.script.scopes import Binding, Context, Module, Scope
from pipedoctor.probes.script.trainings import Runs, is_training
from pipedoctor.probes.script.values import Values
from pipedoctor.probes.script.walk import walk

LONGEST = 200
"""Of a longer expression or line, so many characters are shown."""
LARGEST = 1 << 19
"""Characters of a script; a file of so many takes seconds to resolve, and is no script."""


@probe(Script, Cost.STATIC, "script")
def script(pipeline: Pipeline, _split: Split) -> Script:
    """Read the part `script`: a text, which may know the name of its file."""
    text = pipeline.part("script")
    if not isinstance(text, str):
        raise Unavailable(f"the script was given as a {type(text).__name__}, not as its text")
    if len(text) > LARGEST:
        raise Unavailable(f"the script has {len(text):,} characters, too many to look through")
    try:
        return read(text, getattr(text, "file", None))
    except SyntaxError as error:
        raise Unavailable(f"Python can't read line {error.lineno} of the script") from None
    except ValueError as error:
        raise Unavailable(f"the script can't be read: {error}") from None
    except (RecursionError, MemoryError):
        raise Unavailable("the script is nested too deeply to be looked through") from None


def read(text: str, file: str | None = None) -> Script:
    """
    Return the index of a script's text.

    Raises:
        SyntaxError: It is no Python of this version.
        ValueError: It holds a zero byte.
        RecursionError: It is nested too deeply.

    """
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an odd escape in a user's text is not ours to tell
        tree = ast.parse(text)
    return _Reader(text, file, tree).script()


class _Reader:
    def __init__(self, text: str, file: str | None, tree: ast.Module) -> None:
        self.file = file
        # Python's own line ends only: a form feed or U+2028 in a text ends no line.
        self.lines = tuple(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
        self.module: Module = walk(tree)
        self.values = Values(self.module)
        self.names = Names(self.values)
        self.bytes: dict[int, bytes] = {}
        self.hidden = _secrets(self.module)
        self.number = {call: at for at, (call, _) in enumerate(self.module.calls)}
        self.runs = Runs(self.module, self.values)

    def script(self) -> Script:
        calls = tuple(self.call(node, at) for node, at in self.module.calls)
        packages = {name.partition(".")[0] for name, *_ in self.module.imports}
        trainings = tuple(c for c in calls if is_training(c, packages))
        return Script(
            file=self.file,
            lines=self.lines,
            calls=calls,
            imports=tuple(
                Import(name, bound, self.where(node), self.place(at))
                for name, bound, node, at in self.module.imports
            ),
            assignments=tuple(self.assignments()),
            functions=tuple(self.function(s) for s in self.scopes("function")),
            classes=tuple(self.class_(s) for s in self.scopes("class")),
            trainings=trainings,
            followed=self.runs.followed(trainings),
            additions=tuple(
                Assignment(self.text(target), self.value(value, at), self.place(at))
                for target, value, at in self.module.additions
            ),
        )

    def scopes(self, kind: str) -> list[Scope]:
        found = [scope for scope in self.module.scopes if scope.kind == kind]
        return [scope for scope in found if not isinstance(scope.node, ast.Lambda)]

    def call(self, node: ast.Call, at: Context) -> Call:
        arguments: dict[int | str, Value] = {}
        more = False
        for position, argument in enumerate(node.args):
            if isinstance(argument, ast.Starred):
                more = True
                break
            arguments[position] = self.value(argument, at)
        for keyword in node.keywords:
            if keyword.arg is not None:
                arguments[keyword.arg] = self.value(keyword.value, at, keyword)
                continue
            held = self.values.literal(keyword.value, at)
            if isinstance(held, dict) and all(isinstance(name, str) for name in held):
                value = self.value(keyword.value, at)
                arguments |= {
                    n: Value(value.text, value.where, "item", v) for n, v in held.items()
                }
            else:
                more = True
        return Call(
            number=self.number[node],
            names=self.names.of(node.func, at),
            text=self.text(node.func),
            where=self.where(node),
            end_line=node.end_lineno or node.lineno,
            arguments=arguments,
            open=more,
            place=self.place(at),
            receivers=self.made_by(node.func.value, at)
            if isinstance(node.func, ast.Attribute)
            else (),
            callees=self.made_by(node.func, at),
        )

    def value(self, node: ast.expr, at: Context, keyword: ast.keyword | None = None) -> Value:
        within = () if isinstance(node, (ast.Name, ast.Constant)) else ast.walk(node)
        inner = [self.number[n] for n in within if isinstance(n, ast.Call)]
        return Value(
            text=self.text(node),
            where=self.where(
                node if keyword is None else keyword, None if keyword is None else keyword.arg
            ),
            kind=type(node).__name__.lower(),
            held=self.values.literal(node, at),
            made_by=self.made_by(node, at),
            calls=tuple(inner),
            elements=self.elements(node, at),
        )

    def elements(self, node: ast.expr, at: Context) -> tuple[Value, ...]:
        """Return the elements of a list that is written out, here or where its name gets it."""
        if isinstance(node, ast.Name) and node.id not in self.module.mutated:
            found = self.values.of(node, at)
            if len(found) == 1 and isinstance(found[0], Items):
                items = found[0]
                # A name in it is not followed to a list of its own: that may hold this one.
                plain = (one for one in items.elements if not isinstance(one, ast.Name))
                inner = {one: self.value(one, items.context) for one in plain}
                return tuple(
                    inner[one] if one in inner else self.named(one, items.context)
                    for one in items.elements
                )
        if isinstance(node, (ast.List, ast.Tuple)):
            return tuple(self.value(one, at) for one in node.elts)
        return ()

    def named(self, node: ast.expr, at: Context) -> Value:
        """Return the value of a name, without the elements that it may have."""
        held, made = self.values.literal(node, at), self.made_by(node, at)
        return Value(self.text(node), self.where(node), "name", held, made)

    def made_by(self, node: ast.expr, at: Context) -> tuple[int, ...]:
        found = self.values.of(node, at)
        return tuple(self.number[m.call] for m in found if isinstance(m, Made))

    def assignments(self) -> list[Assignment]:
        found = []
        for target, node, path, at in self.module.assignments:
            value = self.value(node, at)
            if path:
                value = self.part(node, path, at, value)
            holders = self.made_by(target.value, at) if isinstance(target, ast.Attribute) else ()
            found.append(Assignment(self.text(target), value, self.place(at), holders))
        return found

    def part(self, node: ast.expr, path: tuple[int, ...], at: Context, whole: Value) -> Value:
        """Return the element of a value that an unpacking assigns."""
        inner = node
        for number in path:
            if not isinstance(inner, (ast.Tuple, ast.List)) or number >= len(inner.elts):
                bound = self.values.bound(Binding(at, node, path))
                made = tuple(self.number[m.call] for m in bound if isinstance(m, Made))
                return Value(whole.text, whole.where, "element", _only(bound), made, whole.calls)
            inner = inner.elts[number]
        return self.value(inner, at)

    def function(self, scope: Scope) -> Function:
        node = scope.node
        assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        assert scope.context is not None
        given = node.args
        return Function(
            name=scope.name,
            parameters=tuple(
                one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)
            ),
            open=given.kwarg is not None,
            decorators=tuple(self.text(one) for one in node.decorator_list),
            returns=tuple(self.value(value, at) for value, at in scope.returns),
            where=self.where(node),
            end_line=node.end_lineno or node.lineno,
            place=self.place(scope.context),
        )

    def class_(self, scope: Scope) -> Class:
        assert scope.context is not None
        fields: dict[str, Value | None] = {}
        for name, bindings in scope.bindings.items():
            last = bindings[-1]
            if last.defined is None and last.imported is None:
                fields[name] = None if last.value is None else self.value(last.value, last.context)
        return Class(
            name=scope.name,
            names=self.names.of_class(scope),
            fields=fields,
            methods=tuple(n for n, found in scope.bindings.items() if found[-1].defined),
            where=self.where(scope.node),
            place=self.place(scope.context),
        )

    def place(self, at: Context) -> Place:
        scope: Scope | None = at.scope
        owner = scope.name if scope is not None and scope.kind == "class" else ""
        while scope is not None and scope.kind in {"class", "comprehension"}:
            scope = scope.parent
        if scope is not None and scope.owner is not None:
            owner = scope.owner.name
        return Place(
            scope=scope.name if scope is not None else "",
            owner=owner,
            loops=at.loops,
            branches=at.branches,
            caught=at.caught,
            runs=self.runs.of(at),
            managers=tuple(self.number[one] for one in at.managers),
        )

    def where(self, node: Any, key: str | None = None) -> Location:
        line = self.lines[node.lineno - 1] if node.lineno <= len(self.lines) else ""
        # What is longer than this is a file on one line; it is not looked through for each call.
        shown = self.without_secrets(line[: 10 * LONGEST].strip())[:LONGEST]
        return Location(file=self.file, line=node.lineno, key=key, source=shown)

    def text(self, node: ast.expr) -> str:
        """Return the beginning of an expression as it is written, on one line."""
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        parts: list[str] = []
        for number in range(first, last + 1):
            line = self.encoded(number)  # columns are counted in bytes
            begin = node.col_offset if number == first else 0
            end = node.end_col_offset if number == last else None
            piece = line[begin : min(begin + 4 * LONGEST, len(line) if end is None else end or 0)]
            parts.append(piece.decode(errors="replace").strip())
            if sum(map(len, parts)) > LONGEST:
                break
        text = self.without_secrets(" ".join(parts))
        return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"

    def encoded(self, number: int) -> bytes:
        if number not in self.bytes:
            self.bytes[number] = self.lines[number].encode(errors="surrogatepass")
        return self.bytes[number]

    def without_secrets(self, text: str) -> str:
        for secret in self.hidden:
            text = text.replace(secret, "…")
        return text


def _secrets(module: Module) -> set[str]:
    """Return the texts that a script gives to names like `hub_token`: no report may show them."""
    named = {k.arg: k.value for call, _ in module.calls for k in call.keywords if k.arg}
    named |= {t.id: value for t, value, *_ in module.assignments if isinstance(t, ast.Name)}
    return masking.secrets(
        {name: value.value for name, value in named.items() if isinstance(value, ast.Constant)}
    )


def _only(found: Meanings) -> Any:
    """Return the literal that is the only meaning, else `UNKNOWN`."""
    first, *others = found
    return first.value if isinstance(first, Literal) and not others else UNKNOWN
