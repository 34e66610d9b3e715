"""
What the configs of other training tools may hold: names, types and defaults, by their sources.

`dialects.json` holds one release of each tool. Where a tool is installed in another release, that
one's source is read instead, and remembered in the user's cache folder. A release enters the
table, in place of the one before, from its own source:

    python -m pipedoctor.probes.dialects TOOL=VERSION=DATE=PACKAGE_FOLDER ...

such as `axolotl=0.19.0=2026-09=site-packages/axolotl`; each folder is an unpacked wheel's package.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipedoctor.fact import UNKNOWN
from pipedoctor.facts.arguments import Argument

if TYPE_CHECKING:
    import ast

Fields = dict[str, Argument]
Classes = dict[str, Fields]

FORMAT = 1
"""Of what is remembered: what another pipedoctor wrote in another form is not read."""

PATH = os.path.join(os.path.dirname(os.path.dirname(__file__)), "dialects.json")

SOURCES = {
    "trl": (
        "trainer/base_config.py",
        "trainer/model_config.py",
        "trainer/sft_config.py",
        "trainer/dpo_config.py",
        "trainer/grpo_config.py",
        "trainer/kto_config.py",
        "trainer/reward_config.py",
        "trainer/rloo_config.py",
        "trainer/distillation_config.py",
        "scripts/utils.py",
        "scripts/grpo.py",
        "scripts/rloo.py",
    ),
    "llamafactory": (
        "hparams/model_args.py",
        "hparams/data_args.py",
        "hparams/training_args.py",
        "hparams/finetuning_args.py",
        "hparams/generating_args.py",
    ),
    "axolotl": ("utils/schemas/", "integrations/"),
    "accelerate": ("commands/config/config_args.py",),
}
"""The modules of each package whose classes hold its arguments; of a folder, all below it."""

ROOTS = {
    "axolotl": ("AxolotlInputConfig", "*Args"),
    "accelerate": ("ClusterConfig", "SageMakerConfig"),
}
"""The classes that are a tool's config, where not all in its modules are; bases are counted in."""


@dataclass(frozen=True)
class Table:
    """
    The arguments that one release of a tool declares, by class and all together.

    `installed` says whether it is the release that is installed here; `newest` is the newest
    transformers that this release works with.
    """

    tool: str
    version: str
    installed: bool
    classes: Mapping[str, Mapping[str, Argument]]
    newest: str | None = None

    @property
    def fields(self) -> Fields:
        """All fields; where classes share a name, that of the last one."""
        return {name: field for fields in self.classes.values() for name, field in fields.items()}


def load(tool: str) -> Table:
    """Return the arguments of the installed release of a tool, else those that are shipped."""
    from pipedoctor.probes import installed

    with open(PATH, encoding="utf-8") as file:
        row = json.load(file)[tool]
    version = installed.versions([tool]).get(tool)
    classes = _unpacked(row["classes"])
    if version is None or version == row["version"]:
        return Table(tool, row["version"], version is not None, classes, row.get("newest"))
    own = _read_installed(tool)
    if own is None:
        return Table(tool, row["version"], False, classes, row.get("newest"))
    return Table(tool, version, True, own)


def _read_installed(tool: str) -> Classes | None:
    from pipedoctor import cache
    from pipedoctor.probes import installed

    init = installed.file_of(tool, "__init__.py")
    if init is None:
        return None
    folder = os.path.dirname(init)
    try:
        files = list(_files(folder, tool))
        key = [FORMAT, folder, [[os.stat(f).st_mtime_ns, os.stat(f).st_size] for f in files]]
        found = _remembered(cache.read(f"dialect-{tool}", key))
        if found is None:
            found = read(tool, folder)
            cache.write(f"dialect-{tool}", key, _packed(found))
    except (OSError, SyntaxError, ValueError):
        return None
    return found or None


def read(tool: str, folder: str) -> Classes:
    """
    Return the fields of a tool's classes, read from the source of its package.

    Raises:
        OSError: A file is missing; other errors where one is no Python.

    """
    import ast

    nodes: dict[str, ast.ClassDef] = {}
    for path in _files(folder, tool):
        with open(path, encoding="utf-8") as file:
            tree = ast.parse(file.read())
        nodes |= {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    if tool not in ROOTS:
        found = {name: _fields(node) for name, node in nodes.items()}
        return {name: fields for name, fields in found.items() if fields}
    names = [name for root in ROOTS[tool] for name in nodes if _is_root(name, root)]
    merged: Fields = {}
    for name in names:
        merged |= _with_bases(name, nodes, set())
    return {ROOTS[tool][0]: merged}


def _is_root(name: str, root: str) -> bool:
    return name.endswith(root[1:]) if root.startswith("*") else name == root


def _with_bases(name: str, nodes: Mapping[str, ast.ClassDef], seen: set[str]) -> Fields:
    import ast

    if name not in nodes or name in seen:
        return {}
    seen.add(name)
    merged: Fields = {}
    for base in reversed(nodes[name].bases):
        merged |= _with_bases(ast.unparse(base), nodes, seen)
    return merged | _fields(nodes[name])


def _files(folder: str, tool: str) -> Iterator[str]:
    for below in SOURCES[tool]:
        path = os.path.join(folder, *below.split("/"))
        if not below.endswith("/"):
            yield path
            continue
        for parent, folders, names in sorted(os.walk(path)):
            folders.sort()
            yield from (os.path.join(parent, n) for n in sorted(names) if n.endswith(".py"))


def _fields(node: ast.ClassDef) -> Fields:
    """Return what a dataclass, or a model of pydantic, declares; `alias` is another name of it."""
    import ast

    fields: Fields = {}
    for statement in node.body:
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        declared = ast.unparse(statement.annotation)
        value, alias = statement.value, None
        if isinstance(value, ast.Call):
            given = {keyword.arg: keyword.value for keyword in value.keywords}
            alias = given.get("alias")
            value = given.get("default", value.args[0] if value.args else None)
        if "ClassVar" not in declared and not declared.startswith("_"):
            fields[statement.target.id] = Argument(declared, _literal(value))
            if isinstance(alias, ast.Constant) and isinstance(alias.value, str):
                fields[alias.value] = Argument(declared, _literal(value))
    return fields


def _literal(value: ast.expr | None) -> Any:
    import ast

    if value is None:
        return UNKNOWN
    if isinstance(
        value, ast.Attribute
    ):  # a member of an enum of words: OptimizerNames.ADAMW_TORCH
        return value.attr.lower() if value.attr.isupper() else UNKNOWN
    try:
        literal = ast.literal_eval(value)
    except ValueError:
        return UNKNOWN
    return literal if isinstance(literal, (str, int, float, list, dict, type(None))) else UNKNOWN


def _packed(classes: Mapping[str, Mapping[str, Argument]]) -> dict[str, Any]:
    return {
        name: {
            key: [field.type] if field.default is UNKNOWN else [field.type, field.default]
            for key, field in fields.items()
        }
        for name, fields in classes.items()
    }


def _unpacked(classes: Mapping[str, Mapping[str, list[Any]]]) -> Classes:
    return {
        name: {key: Argument(*row) for key, row in fields.items()}
        for name, fields in classes.items()
    }


def _remembered(entry: object) -> Classes | None:
    """Return what was remembered; None where the entry is of another form."""
    try:
        found = _unpacked(entry)  # type: ignore[arg-type] # of another form, it raises
    except (AttributeError, TypeError):
        return None
    rows = [field for fields in found.values() for field in fields.values()]
    return found if rows and all(isinstance(row.type, str) for row in rows) else None


def main(words: Iterable[str]) -> None:
    """Put these releases into the table that ships with pipedoctor."""
    with open(PATH, encoding="utf-8") as file:
        table = json.load(file)
    for word in words:
        tool, version, date, folder = word.split("=", 3)
        classes = read(tool, folder)
        row = {"version": version, "date": date, "classes": _packed(classes)}
        newest = _newest_transformers(tool, folder)
        table[tool] = row | ({"newest": newest} if newest else {})
        count = sum(map(len, classes.values()))
        sys.stdout.write(f"{tool} {version}: {count} fields of {len(classes)} classes\n")
    with open(PATH, "w", encoding="utf-8") as file:
        file.write(_text(table))


def _newest_transformers(tool: str, folder: str) -> str | None:
    """Return the upper bound that the wheel's metadata sets, if it does."""
    import re

    beside = os.path.dirname(os.path.abspath(folder))
    for name in sorted(os.listdir(beside)):
        if name.startswith(f"{tool}-") and name.endswith(".dist-info"):
            with open(os.path.join(beside, name, "METADATA"), encoding="utf-8") as file:
                line = re.search(
                    r"^Requires-Dist: transformers[ (]?([^;\n]*)", file.read(), re.MULTILINE
                )
            bound = re.search(r"(?:<=|==)\s*([\d.]+)", line[1]) if line else None
            return bound[1] if bound else None
    return None


def _text(table: Mapping[str, Any]) -> str:
    """Return the table as JSON, a line a field, so that a change of it can be read."""
    tools = []
    for tool in sorted(table):
        row = dict(table[tool])
        classes = row.pop("classes")
        lines = ",\n".join(
            f"{json.dumps(name)}: {{\n"
            + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in fields.items())
            + "}"
            for name, fields in classes.items()
        )
        head = "".join(f"{json.dumps(key)}: {json.dumps(value)}, " for key, value in row.items())
        tools.append(f'{json.dumps(tool)}: {{{head}"classes": {{\n{lines}\n}}}}')
    return "{\n" + ",\n".join(tools) + "\n}\n"


if __name__ == "__main__":
    main(sys.argv[1:])
