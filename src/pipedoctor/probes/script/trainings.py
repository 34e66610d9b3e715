"""Which calls of a script start a training, whether they run, and which may come after which."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pipedoctor.facts.script import Call
from pipedoctor.probes.script.meanings import Defined, Made, Member
from pipedoctor.probes.script.scopes import Context, Module, Scope, exclusive
from pipedoctor.probes.script.values import Values

KERAS = ("keras", "tensorflow", "tf_keras")
FITTING = (*KERAS, "transformers", "sentence_transformers")
"""Packages whose models train by `fit()`; those of scikit-learn, for one, do it otherwise."""


def is_training(call: Call, packages: set[str]) -> bool:
    """Whether a call starts a training; `packages` are those that the script imports."""
    receiver, _, method = call.text.rpartition(".")
    if method not in {"train", "fit"} or call.place.runs == "never":
        return False
    # What a method of the script itself does is seen inside it.
    names = [name for name in call.names if not name.startswith("__main__.")]
    if call.names and not names:
        return False
    known = [name for name in names if name.partition(".")[0] in packages]
    sure = [name for name in known if "()" not in name or name.startswith(FITTING)]
    if any(name.rpartition(".")[0].endswith("Trainer") for name in sure):
        return True
    if sure:
        return method == "fit" and any(
            name.startswith(FITTING) and "preprocessing" not in name for name in sure
        )
    # Where it comes from is not known, so its name has to tell.
    last = receiver.rpartition(".")[2].partition("(")[0].lower()
    return "trainer" in last or (
        method == "fit" and last == "model" and not packages.isdisjoint(KERAS)
    )


class Runs:
    """How the functions of a script are reached from its top."""

    def __init__(self, module: Module, values: Values) -> None:
        """Find the calls of each function that the script defines."""
        self._module = module
        self._known: dict[int, str] = {}
        self._sites: dict[int, list[Context]] = {}
        for call, at in module.calls:
            for meaning in values.of(call.func, at):
                for scope in _called(meaning, values):
                    self._sites.setdefault(id(scope), []).append(at)

    def of(self, at: Context) -> str:
        """Return whether a place is reached: "always", "maybe" or "never"."""
        scope = _function(at.scope)
        reached = "always" if scope is None else self._scope(scope)
        sure = all(arm in {"try", "try else"} for _, arm in at.branches)
        return reached if sure or reached == "never" else "maybe"

    def _scope(self, scope: Scope) -> str:
        key = id(scope)
        if key not in self._known:
            self._known[key] = "maybe"  # while it is worked out: it may call itself
            self._known[key] = self._reached(scope)
        return self._known[key]

    def _reached(self, scope: Scope) -> str:
        sites = {self.of(site) for site in self._sites.get(id(scope), ())}
        if "always" in sites:
            return "always"
        return "never" if sites <= {"never"} and not self._otherwise(scope) else "maybe"

    def _otherwise(self, scope: Scope) -> bool:
        """Whether a function may be called by others: as a method, decorated, or passed on."""
        node = scope.node
        if scope.owner is not None or not isinstance(
            node, (ast.FunctionDef, ast.AsyncFunctionDef)
        ):
            return True
        reads = self._module.loads.get(node.name, 0)
        return bool(node.decorator_list) or reads > len(self._sites.get(id(scope), ()))

    def followed(self, trainings: tuple[Call, ...]) -> frozenset[int]:
        """Return the numbers of the trainings after which one may start, themselves included."""
        ways = {t.number: self._ways(self._module.calls[t.number][1]) for t in trainings}
        return frozenset(
            one
            for one in ways
            for other in ways
            if (self._repeated(ways[one]) if one == other else _may_follow(ways[one], ways[other]))
        )

    def _ways(self, at: Context) -> list[Context]:
        """Return a place, and all from which its function is called, up to the top."""
        ways: list[Context] = []
        waiting = [at]
        while waiting:
            place = waiting.pop()
            if place not in ways:
                ways.append(place)
                scope = _function(place.scope)
                waiting += [] if scope is None else self._sites.get(id(scope), [])
        return ways

    def _repeated(self, ways: list[Context]) -> bool:
        """Whether a place may be reached more than once."""
        for place in ways:
            scope = _function(place.scope)
            if place.loops:
                return True
            if scope is None:
                continue
            sites = self._sites.get(id(scope), [])
            known = isinstance(scope.node, ast.FunctionDef) and bool(sites)
            if not known or (scope.owner is None and self._otherwise(scope)):
                return True
            if any(not exclusive(a, b) or a.scope is not b.scope for a, b in _pairs(sites)):
                return True
        return False


def _may_follow(first: list[Context], second: list[Context]) -> bool:
    """Whether the place of the second may be reached after that of the first."""
    shared = [(a, b) for a in first for b in second if _function(a.scope) is _function(b.scope)]
    if not shared:
        return True  # no way is known on which both lie
    return any(
        bool(set(a.loops) & set(b.loops)) or (b.order > a.order and not exclusive(a, b))
        for a, b in shared
    )


def _pairs(sites: list[Context]) -> Iterator[tuple[Context, Context]]:
    return ((a, b) for number, a in enumerate(sites) for b in sites[number + 1 :])


def _function(scope: Scope | None) -> Scope | None:
    """Return the function that something stands in; None at the top."""
    while scope is not None and scope.kind in {"class", "comprehension"}:
        scope = scope.parent
    return None if scope is None or scope.kind == "module" else scope


def _called(meaning: object, values: Values) -> Iterator[Scope]:
    """Yield the functions of the script that are run when this is called."""
    if isinstance(meaning, Defined):
        if meaning.scope.kind == "function":
            yield meaning.scope
        else:
            yield from _methods(meaning.scope, "__init__")
    elif isinstance(meaning, Member) and isinstance(meaning.of, Made):
        for maker in values.callee(meaning.of.call):
            if isinstance(maker, Defined) and maker.scope.kind == "class":
                yield from _methods(maker.scope, meaning.name)


def _methods(scope: Scope, name: str) -> Iterator[Scope]:
    for binding in scope.bindings.get(name, ()):
        if binding.defined is not None and binding.defined.kind == "function":
            yield binding.defined
