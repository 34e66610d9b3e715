"""By which names the thing goes that a script calls, with all its base classes."""

from __future__ import annotations

import ast

from pipedoctor.probes.script.meanings import (
    Defined,
    Literal,
    Made,
    Meaning,
    Member,
    Symbol,
)
from pipedoctor.probes.script.scopes import Context, Scope
from pipedoctor.probes.script.values import Values

OWN = "__main__"
TRAINER = "transformers.Trainer"
ARGUMENTS = "transformers.TrainingArguments"
BASES = {
    "transformers.Seq2SeqTrainer": TRAINER,
    "transformers.Seq2SeqTrainingArguments": ARGUMENTS,
    "sentence_transformers.SentenceTransformerTrainer": TRAINER,
    "sentence_transformers.SentenceTransformerTrainingArguments": ARGUMENTS,
    "sentence_transformers.CrossEncoderTrainer": TRAINER,
    "sentence_transformers.CrossEncoderTrainingArguments": ARGUMENTS,
}
"""Classes of libraries that are derived from those of transformers."""
TRL_CONFIGS = frozenset({
    "SFTConfig", "DPOConfig", "GRPOConfig", "KTOConfig", "RewardConfig", "RLOOConfig", "ORPOConfig",
    "CPOConfig", "BCOConfig", "GKDConfig", "OnlineDPOConfig", "NashMDConfig", "XPOConfig", "PRMConfig",
})  # fmt: skip
"""Of trl's, those that are training arguments; its ModelConfig, for one, is none."""


class Names:
    """The names of what is called; each class of the script is followed to its bases once."""

    def __init__(self, values: Values) -> None:
        """Take what expressions mean."""
        self._values = values
        self._classes: dict[int, tuple[str, ...]] = {}
        self._made: dict[ast.Call, tuple[str, ...]] = {}

    def of(self, node: ast.expr, at: Context) -> tuple[str, ...]:
        """Return the names that a called expression has whatever it means; none if that differs."""
        if isinstance(node, ast.Attribute) and _is_super(node.value):
            return self._of_base(node.attr, at)
        # None stands in for what could not be imported; it can't be called.
        found = [
            self._names(meaning)
            for meaning in self._values.of(node, at)
            if not (isinstance(meaning, Literal) and meaning.value is None)
        ]
        if not found:
            return ()
        return tuple(name for name in found[0] if all(name in other for other in found[1:]))

    def _names(self, meaning: Meaning) -> tuple[str, ...]:
        if isinstance(meaning, Symbol):
            return with_bases(meaning.name)
        if isinstance(meaning, Defined):
            return self.of_class(meaning.scope)
        if isinstance(meaning, Member):
            of = meaning.of
            names = self.of_made(of) if isinstance(of, Made) else self.of_class(of.scope)
            return tuple(f"{name}.{meaning.name}" for name in names)
        return ()

    def of_class(self, scope: Scope) -> tuple[str, ...]:
        """Return the names of a class and its bases, or the one of a function."""
        if id(scope) in self._classes:
            return self._classes[id(scope)]
        names = [f"{OWN}.{scope.name}"]
        self._classes[id(scope)] = tuple(names)  # while its bases are looked at
        if isinstance(scope.node, ast.ClassDef) and scope.context is not None:
            for base in scope.node.bases:
                names += self.of(base, scope.context)
        self._classes[id(scope)] = found = tuple(dict.fromkeys(names))
        return found

    def of_made(self, made: Made) -> tuple[str, ...]:
        """Return the names of the object that a call makes: its classes, or "function()"."""
        if made.call in self._made:
            return self._made[made.call]
        self._made[made.call] = ()  # while it is worked out, should it depend on itself
        found: list[tuple[str, ...]] = []
        for meaning in self._values.callee(made.call):
            is_function = isinstance(meaning, Defined) and meaning.scope.kind == "function"
            names = self._names(meaning)
            a_class = names and names[0].rpartition(".")[2][:1].isupper() and not is_function
            found.append(names if a_class else tuple(f"{name}()" for name in names))
        known = found[0] if found else ()
        self._made[made.call] = known = tuple(n for n in known if all(n in o for o in found))
        return known

    def _of_base(self, method: str, at: Context) -> tuple[str, ...]:
        scope: Scope | None = at.scope
        while scope is not None and scope.owner is None:
            scope = scope.parent
        if scope is None or scope.owner is None:
            return ()
        return tuple(f"{name}.{method}" for name in self.of_class(scope.owner)[1:])


def _is_super(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"
    )


def with_bases(name: str) -> tuple[str, ...]:
    """Return the name of something imported, and those of the classes it is derived from."""
    package, _, last = name.partition(".")[0], ".", name.rpartition(".")[2]
    base = BASES.get(f"{package}.{last}")
    if package == "trl":
        base = ARGUMENTS if last in TRL_CONFIGS else TRAINER if last.endswith("Trainer") else None
    return (name,) if base is None else (name, base)
