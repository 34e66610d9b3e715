"""
The fields of `TrainingArguments`, read from the source of the installed transformers.

Importing transformers takes seconds. Its source is parsed instead, once for each version of the
file: what was found is remembered in the user's cache folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pipedoctor import cache
from pipedoctor.fact import UNKNOWN, Cost, Split, Unavailable
from pipedoctor.facts.arguments import Argument, Arguments
from pipedoctor.facts.environment import Environment
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes import installed, releases, words

if TYPE_CHECKING:
    import ast

FORMAT = 1
"""Of what is remembered: what another pipedoctor wrote in another form is not read."""

_EMPTY: dict[str, Any] = {"list": [], "dict": {}}


@probe(Arguments, Cost.STATIC)
def arguments(pipeline: Pipeline, _split: Split) -> Arguments:
    """
    Read the installed source; another version's fields are those of the nearest known one.

    The settings may say that they are those of a class which is derived from `TrainingArguments`.
    """
    found = _of_trainer(pipeline)
    settings = pipeline.parts.get("settings", None)
    name = getattr(settings, "arguments_class", "")
    if not isinstance(name, str) or name in {"", found.of}:
        return found
    from pipedoctor.facts.signatures import Signatures
    from pipedoctor.probes.settings_of_script import extended, without_defaults

    try:
        return extended(found, pipeline.fact(Signatures).of(name))
    except Unavailable as reason:
        if name.startswith("transformers."):
            return found  # its defaults are those of TrainingArguments
        return without_defaults(found, str(reason))


def _of_trainer(pipeline: Pipeline) -> Arguments:
    version = pipeline.fact(Environment).versions.get("transformers")
    here = installed.versions(["transformers"]).get("transformers")
    return _of_version(version, _stamp() if version == here and version is not None else None)


def _stamp() -> tuple[str, int, int] | None:
    """Return what tells one state of the installed source from another."""
    path = installed.file_of("transformers", "training_args.py")
    if path is None:
        return None
    try:
        file = os.stat(path)
    except OSError:
        return None
    return path, file.st_mtime_ns, file.st_size


@lru_cache(maxsize=8)
def _of_version(version: str | None, source: tuple[str, int, int] | None) -> Arguments:
    """Return the arguments of a version, once where many targets are examined."""
    history = releases.load()
    fields = read_installed() if source is not None else None
    if version is None or fields is None:
        known = history.releases[-1] if version is None else history.nearest(version)
        return Arguments(
            version=version or known,
            installed=version is not None,
            fields=history.fields(known),
            releases=history.releases,
            history=history.names(),
            release=known,
            words=words.of(known, here=False) or {},
        )
    known_releases, names = history.with_release(version, fields)
    return Arguments(
        version=version,
        installed=True,
        fields=fields,
        releases=known_releases,
        history=names,
        release=version,
        words=words.of(version, here=True) or {},
    )


def read_installed() -> dict[str, Argument] | None:
    """Return the fields in the installed source, or None where it can't be found or read."""
    stamp = _stamp()
    if stamp is None:
        return None
    path = stamp[0]
    try:
        key = [FORMAT, *stamp]
        # One file for each place, so that two environments don't overwrite each other's.
        name = f"training-arguments-{_checksum(path):08x}"
        fields = _remembered(cache.read(name, key))
        if fields is None:
            with open(path, encoding="utf-8") as source:
                fields = parse(source.read())
            cache.write(name, key, {n: _packed(argument) for n, argument in fields.items()})
    except (OSError, SyntaxError, ValueError):
        return None
    return fields or None


def parse(source: str) -> dict[str, Argument]:
    """Return the fields of the class `TrainingArguments` in the text of a module."""
    import ast

    return fields_of(ast.parse(source), "TrainingArguments")


def fields_of(tree: ast.Module, name: str) -> dict[str, Argument]:
    """Return the fields that a dataclass at the top of a module declares."""
    import ast

    fields: dict[str, Argument] = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            fields |= _fields(node)
    return fields


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, Argument]]:
    import ast

    for statement in node.body:
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        declared = ast.unparse(statement.annotation)
        value = statement.value
        given = _keywords(value)
        # A field that __init__ does not take is no argument.
        if "ClassVar" in declared or ast.unparse(given.get("init", ast.Constant(True))) == "False":
            continue
        if given:
            value = given.get("default")
        factory = given.get("default_factory")
        if value is not None:
            default = _literal(value)
        elif isinstance(factory, ast.Name) and factory.id in _EMPTY:
            default = _EMPTY[factory.id]
        else:
            default = UNKNOWN
        yield statement.target.id, Argument(declared, default)


def _keywords(value: ast.expr | None) -> dict[str | None, ast.expr]:
    """Return the arguments of a call of `field`, nothing for any other value."""
    import ast

    if not isinstance(value, ast.Call) or ast.unparse(value.func).split(".")[-1] != "field":
        return {}
    return {keyword.arg: keyword.value for keyword in value.keywords}


def _literal(value: ast.expr) -> Any:
    import ast

    try:
        literal = ast.literal_eval(value)
    except ValueError:
        return UNKNOWN
    # What JSON can't hold is no value that a config could state either.
    return literal if isinstance(literal, (str, int, float, list, dict, type(None))) else UNKNOWN


def _packed(argument: Argument) -> list[object]:
    known = argument.default is not UNKNOWN
    return [argument.type, argument.default] if known else [argument.type]


def _remembered(entry: object) -> dict[str, Argument] | None:
    """Return the fields that were remembered; None where the entry is of another form."""
    if not isinstance(entry, dict) or not entry:
        return None
    fields = {}
    for name, row in entry.items():
        if not isinstance(row, list) or len(row) not in {1, 2} or not isinstance(row[0], str):
            return None
        fields[name] = Argument(*row)
    return fields


def _checksum(path: str) -> int:
    from zlib import crc32

    return crc32(path.encode("utf-8", "surrogateescape"))
