"""
The fields of a dataclass of an installed package, read from source along its base classes.

`TRL`'s `SFTConfig` is a `_BaseConfig`, which is a `TrainingArguments`: each of them declares
fields and replaces defaults. The classes are followed through the imports of their modules, and
none of those is executed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipedoctor import cache
from pipedoctor.fact import UNKNOWN
from pipedoctor.facts.arguments import Argument
from pipedoctor.probes import installed

if TYPE_CHECKING:
    import ast

FORMAT = 1
ROOT = "transformers.TrainingArguments"

HOMES = {
    "transformers.TrainingArguments": "training_args.py",
    "transformers.Seq2SeqTrainingArguments": "training_args_seq2seq.py",
}
"""Where the classes are defined that packages import by the name of their package alone."""

LONGEST = 8
"""No class has so many bases one above the other; an import that leads back to itself has."""


@dataclass(frozen=True)
class Lineage:
    """
    What a class declares, and what it takes from its base classes.

    `own` are the fields that it and its bases below `TrainingArguments` declare, `fields` those
    with what is inherited from there. `whole` is false where a base could not be found.
    """

    own: dict[str, Argument]
    fields: dict[str, Argument]
    whole: bool
    files: tuple[str, ...]


def read(name: str, path: str) -> Lineage | None:
    """Return what a class takes, by its package and name; None where its source can't be read."""
    entry = f"lineage-{name}"
    known = cache.read(entry, [FORMAT, path])
    if isinstance(known, dict):
        remembered = _unpacked(known)
        if remembered is not None:
            return remembered
    try:
        found = _walk(path, name.rpartition(".")[2], 0)
        stamps = [[one, *_stamp(one)] for one in found.files]
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None
    if not found.files:
        return None
    cache.write(
        entry,
        [FORMAT, path],
        {
            "stamps": stamps,
            "whole": found.whole,
            "own": {n: pack(a) for n, a in found.own.items()},
            "fields": {n: pack(a) for n, a in found.fields.items()},
        },
    )
    return found


def pack(argument: Argument) -> list[object]:
    """Return a field as JSON holds it."""
    known = argument.default is not UNKNOWN
    return [argument.type, argument.default] if known else [argument.type]


def _unpacked(known: dict[str, Any]) -> Lineage | None:
    """Return what was remembered, unless a file has changed since, or the entry is no such one."""
    try:
        if any(_stamp(path) != stamp for path, *stamp in known["stamps"]):
            return None
        return Lineage(
            own={n: Argument(*told) for n, told in known["own"].items()},
            fields={n: Argument(*told) for n, told in known["fields"].items()},
            whole=known["whole"] is True,
            files=tuple(path for path, *_ in known["stamps"]),
        )
    except (OSError, KeyError, TypeError, ValueError, AttributeError):
        return None


def _stamp(path: str) -> list[int]:
    file = os.stat(path)
    return [file.st_mtime_ns, file.st_size]


def _walk(path: str, name: str, depth: int) -> Lineage:
    import ast

    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    nodes = [n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name]
    if not nodes:
        return Lineage({}, {}, whole=False, files=())
    declared = declared_by(tree, name)
    if name == ROOT.rpartition(".")[2]:
        return Lineage({}, declared, whole=True, files=(path,))
    own: dict[str, Argument] = {}
    fields: dict[str, Argument] = {}
    files: tuple[str, ...] = (path,)
    whole = True
    # As Python does: what stands further left wins, what the class declares itself before all.
    for base in reversed(nodes[-1].bases):
        place = _home(tree, base, path)
        if place is None or depth >= LONGEST:
            whole = whole and ast.unparse(base) in {"object", "ABC"}
            continue
        above = _walk(*place, depth + 1)
        own |= above.own
        fields |= above.fields
        files += above.files
        whole = whole and above.whole
    return Lineage({**own, **declared}, {**fields, **declared}, whole, files)


def declared_by(tree: ast.Module, name: str) -> dict[str, Argument]:
    """Return the fields that a class itself declares; a default that its code replaces is none."""
    import ast

    from pipedoctor.probes import arguments

    declared = arguments.fields_of(tree, name)
    if name == ROOT.rpartition(".")[2]:
        return declared  # what its code works out is followed where it is needed
    computed = {
        target.attr
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name == name
        for method in node.body
        if isinstance(method, ast.FunctionDef) and method.name == "__post_init__"
        for statement in ast.walk(method)
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Attribute) and ast.unparse(target.value) == "self"
    }
    return {n: Argument(a.type) if n in computed else a for n, a in declared.items()}


def _home(tree: ast.Module, base: ast.expr, path: str) -> tuple[str, str] | None:
    """Return the file and the name of a base class; None where it can't be told from the text."""
    import ast

    if not isinstance(base, ast.Name):
        return None
    if any(isinstance(n, ast.ClassDef) and n.name == base.id for n in tree.body):
        return path, base.id
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == base.id:
                    file = _module(node, path, alias.name)
                    return None if file is None else (file, alias.name)
    return None


def _module(node: ast.ImportFrom, path: str, name: str) -> str | None:
    """Return the file that an import takes a name from."""
    parts = node.module.split(".") if node.module else []
    if node.level:
        folder = path
        for _ in range(node.level):
            folder = os.path.dirname(folder)
        for file in (os.path.join(folder, *parts) + ".py", *_homes(folder, parts, name)):
            if os.path.isfile(file):
                return file
        return None
    package, *below = parts
    if not below:
        home = HOMES.get(f"{package}.{name}")
        return installed.file_of(package, home) if home else None
    return installed.file_of(package, *below[:-1], below[-1] + ".py")


def _homes(folder: str, parts: list[str], name: str) -> list[str]:
    """Return where a class stands that is imported from the folder of its package itself."""
    package = os.path.basename(os.path.join(folder, *parts))
    home = HOMES.get(f"{package}.{name}")
    return [os.path.join(folder, *parts, home)] if home else []
