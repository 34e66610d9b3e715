"""
What the config of a Keras model makes a loader run: functions by name, code in layers, classes.

Keras writes the functions of its own under the module `builtins` and those of others as
`package>name`; layers of its own under `keras...`. Before Keras 3.12, whatever module a config
named was imported and taken at its word; since then most of it is refused, and what a file asks
for is the same.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping

from pipedoctor.checkpoints.contents import Flaw, FlawKind, Verdict
from pipedoctor.checkpoints.pickles.limits import Unreadable
from pipedoctor.checkpoints.pickles.verdicts import Judgement, shown, worst

LARGEST = 16 * 2**20
"""Bytes of a config; those of large models have one or two million, vocabularies included."""
DEEPEST = 400
"""Objects within objects. Keras itself takes several frames of Python for each."""
MOST_NODES = 2_000_000

FAMILY = frozenset({"keras", "keras_cv", "keras_hub", "keras_nlp", "tf_keras"})
"""The packages whose classes Keras takes by their module."""
UNBOUND = frozenset(
    {"backend", "config", "datasets", "export", "models", "preprocessing", "saving", "utils"}
)
"""Modules of Keras whose functions are no part of a model: they fetch, read and write files."""
RUNS = {
    "TorchModuleWrapper": "a module of torch, which is unpickled",
    "TFSMLayer": "the program of a SavedModel that lies somewhere else",
}
"""Layers of Keras that bring a program of their own."""
LAMBDA = "keras.layers.Lambda"
_BUILTIN = frozenset(
    {
        *("__import__", "breakpoint", "compile", "delattr", "eval", "exec", "exit", "getattr"),
        *("globals", "input", "locals", "open", "quit", "setattr", "vars"),
    }
)
"""Functions of Python that do something. Keras has its own `abs`, `max`, `sum` and others."""
_PLAIN = frozenset({"bool", "bytes", "dict", "float", "int", "list", "str", "tuple", "type"})
"""Types of Python; an argument that is one is written as `builtins.type`."""
OPS = "TFOpLambda"
_FILES = ("io.", "raw_ops.", "py_func", "numpy_function", "saved_model.", "load_")
"""Functions of TensorFlow that read and write files or call Python; Keras 2 names any of them."""


class _Objects(dict[str, object]):
    """A JSON object, and which of its names stood there twice."""

    twice: tuple[str, ...] = ()


def _object(pairs: list[tuple[str, object]]) -> _Objects:
    found = _Objects(pairs)
    if len(found) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        found.twice = tuple(name for name, count in counts.items() if count > 1)
    return found


def parsed(text: bytes | str, what: str) -> Mapping[str, object]:
    """
    Return the object that a text stands for; `what` names it in messages.

    Raises:
        Unreadable: It is no JSON object, or too large or too deep to be one of a model.

    """
    if len(text) > LARGEST:
        message = f"{what} has {len(text):,} bytes: at most {LARGEST:,} are read"
        raise Unreadable(FlawKind.LIMIT, message)
    try:
        found = json.loads(text, object_pairs_hook=_object)
    except RecursionError:
        raise Unreadable(FlawKind.LIMIT, f"{what} is nested too deeply to be read") from None
    except ValueError as error:
        message = f"{what} is no JSON: {shown(str(error))}"
        raise Unreadable(FlawKind.BAD_HEADER, message) from None
    if not isinstance(found, dict):
        message = f"{what} is {type(found).__name__} in JSON, where an object is expected"
        raise Unreadable(FlawKind.BAD_HEADER, message)
    return found


def judged(config: Mapping[str, object], what: str) -> tuple[Judgement, list[Flaw]]:
    """
    Return the verdict on a config, and a flaw for each name of code in it.

    Raises:
        Unreadable: It is too deep, or too large.

    """
    judgements: list[Judgement] = []
    flaws: dict[str, Flaw] = {}
    for node, within in _nodes(config, what):
        if isinstance(node, _Objects) and node.twice:
            message = f"{what} says {shown(node.twice[0])!r} twice in one object"
            flaws.setdefault(message, Flaw(FlawKind.DUPLICATE, message))
            judgements.append(Judgement(Verdict.MALFORMED, message))
        found = _node(node, within, what)
        if found is None:
            continue
        judgements.append(found)
        if found.verdict is Verdict.UNSAFE and len(flaws) < 20:
            flaws.setdefault(found.reason, Flaw(FlawKind.CODE, found.reason))
    return worst(judgements), list(flaws.values())


def layers(config: Mapping[str, object]) -> int:
    """Return how many layers a model of this config lists, not those within them."""
    inner = config.get("config")
    listed = inner.get("layers") if isinstance(inner, dict) else inner
    return len(listed) if isinstance(listed, list) else 0


def _nodes(
    config: Mapping[str, object], what: str
) -> Iterator[tuple[Mapping[str, object], Mapping[str, object]]]:
    """Yield each object of a config, with the one around it."""
    nothing: Mapping[str, object] = {}
    waiting: list[tuple[object, Mapping[str, object], int]] = [(config, nothing, 0)]
    seen = 0
    while waiting:
        node, around, depth = waiting.pop()
        seen += 1
        if depth > DEEPEST or seen > MOST_NODES:
            limit = f"{DEEPEST} deep" if depth > DEEPEST else f"{MOST_NODES:,} values"
            raise Unreadable(FlawKind.LIMIT, f"{what} is more than {limit}")
        if isinstance(node, dict):
            yield node, around
            waiting += [(value, node, depth + 1) for value in reversed(node.values())]
        elif isinstance(node, list):
            waiting += [(value, around, depth + 1) for value in reversed(node)]


def _node(node: Mapping[str, object], around: Mapping[str, object], what: str) -> Judgement | None:
    """Return the verdict on one object, None where it is nothing but values."""
    name = node.get("class_name")
    if not isinstance(name, str):
        return None
    module = node.get("module")
    module = module if isinstance(module, str) else ""
    if name == "__lambda__":
        layer = LAMBDA if "arguments" in around or "output_shape" in around else name
        return _code(f"{what} holds the bytecode of a Python function ({layer})", layer)
    if name == "Lambda":
        return _lambda(node, what)
    if name in RUNS:
        return _code(f"{what} has a {name}: {RUNS[name]}", name)
    if name == OPS:
        return _operation(node, what)
    if name == "function":
        return _function(node, module, what)
    return _class(node, name, module, what)


def _lambda(node: Mapping[str, object], what: str) -> Judgement | None:
    """Return the verdict on a layer that calls a function."""
    config = node.get("config")
    config = config if isinstance(config, dict) else {}
    for key in ("function", "output_shape", "mask"):
        stated = config.get(key)
        kind = config.get(f"{key}_type")
        if kind == "lambda" or (key == "function" and isinstance(stated, list)):
            reason = f"{what} has a layer Lambda with the bytecode of a Python function"
            return _code(reason, LAMBDA)
    function = config.get("function")
    if isinstance(function, str) and config.get("module") not in {None, "", "__main__"}:
        named = f"{config.get('module')}.{function}"
        return _outside(str(config.get("module")), function, named, what)
    if isinstance(function, str) and function in _BUILTIN:
        return _code(f"{what} names the function builtins.{function}", f"builtins.{function}")
    named = shown(str(node.get("module") or "keras.layers"))
    # The function itself, where it is an object, is judged as such.
    reason = f"{what} has a layer Lambda, which calls a function by its name"
    return Judgement(Verdict.NEEDS_TRUST, reason, f"{named}.Lambda")


def _operation(node: Mapping[str, object], what: str) -> Judgement | None:
    """Return the verdict on a layer of Keras 2 that calls a function of TensorFlow."""
    config = node.get("config")
    name = config.get("function") if isinstance(config, dict) else None
    if not isinstance(name, str) or not name.startswith(_FILES):
        return None
    named = f"tf.{shown(name)}"
    return _code(f"{what} names the function {named}", named)


def _function(node: Mapping[str, object], module: str, what: str) -> Judgement | None:
    """Return the verdict on a function by its name."""
    name = node.get("config")
    name = name if isinstance(name, str) else str(node.get("registered_name") or "")
    named = shown(f"{module}.{name}" if module else name)
    if module in {"", "builtins"}:
        if name in _BUILTIN:
            return _code(f"{what} names the function builtins.{name}", f"builtins.{name}")
        if ">" in name:
            return _own(name, what)
        return None
    return _outside(module, name, named, what)


def _outside(module: str, name: str, named: str, what: str) -> Judgement | None:
    """Return the verdict on a function of a module: Keras writes those of its own alone."""
    if _bound(module, name) or module == "__main__":
        return None
    return _code(f"{what} names the function {shown(named)}", shown(named))


def _class(node: Mapping[str, object], name: str, module: str, what: str) -> Judgement | None:
    """Return the verdict on an object by its class."""
    if name.startswith("__") and name.endswith("__") and name != "__typespec__":
        return None  # a value, as Keras writes it
    top = module.partition(".")[0]
    named = shown(f"{module}.{name}" if module else name)
    registered = node.get("registered_name")
    if top in FAMILY:
        if not _bound(module, name):
            return _code(f"{what} names {named}, which is no part of a model", named)
        return _reading(node, name, what)
    if top == "builtins" and name in _PLAIN:
        return None
    if top == "builtins" or (top != "__main__" and top in sys.stdlib_module_names):
        return _code(f"{what} names {named}", named)
    if isinstance(registered, str) and ">" in registered:
        return _own(registered, what)
    if ">" in name:
        return _own(name, what)
    if not top:
        return _reading(node, name, what)
    if top == "tensorflow" and name == "__typespec__":
        return None
    reason = f"{what} needs the class {named}, which is not of Keras"
    return Judgement(Verdict.NEEDS_TRUST, reason, named)


def _reading(node: Mapping[str, object], name: str, what: str) -> Judgement | None:
    """Return the verdict on a layer of Keras that reads a file when it is made."""
    config = node.get("config")
    vocabulary = config.get("vocabulary") if isinstance(config, dict) else None
    if not isinstance(vocabulary, str):
        return None
    reason = f"{what} has a {shown(name)} that reads the file {shown(vocabulary)}"
    return Judgement(Verdict.NEEDS_TRUST, reason, shown(name))


def _bound(module: str, name: str) -> bool:
    """Tell whether a name of Keras is one that models are made of."""
    parts = module.split(".")
    return parts[0] in FAMILY and (name[:1].isupper() or not UNBOUND.intersection(parts))


def _own(name: str, what: str) -> Judgement | None:
    package = name.partition(">")[0].lower()
    if package in FAMILY:
        return None
    reason = f"{what} needs {shown(name)}, which its own program must register before"
    return Judgement(Verdict.NEEDS_TRUST, reason, shown(name))


def _code(reason: str, offender: str) -> Judgement:
    return Judgement(Verdict.UNSAFE, reason, offender)
