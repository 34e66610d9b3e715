"""
The fields of `TrainingArguments` in the releases of transformers that we know.

`history.json` holds them packed: for each name the releases that had it, as ranges in which its
type and default stayed the same. A release enters it, or is read anew, from its own source:

    python -m pipedoctor.probes.releases SOURCE_TREE ...

with one or more checkouts, unpacked archives or installed packages of transformers.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from pipedoctor.fact import UNKNOWN
from pipedoctor.facts.arguments import Argument, version_key

Fields = Mapping[str, Argument]

_VERSION = re.compile(r'^__version__ = "([^"]+)"', re.MULTILINE)

PATH = os.path.join(os.path.dirname(os.path.dirname(__file__)), "history.json")


class History:
    """
    The packed table: which release had which fields.

    `spans` has, for each name, rows of first and last release, type and, where it is known, the
    default; releases and types are given by their position.
    """

    def __init__(self, releases: list[str], types: list[str], spans: dict[str, list[Any]]) -> None:
        """Keep the table as it is; unpack what is asked for."""
        self.releases = tuple(releases)
        self._types = types
        self._spans = spans

    def fields(self, release: str) -> dict[str, Argument]:
        """Return the fields of one of the releases."""
        at = self.releases.index(release)
        return {
            name: Argument(self._types[declared], *default)
            for name, spans in self._spans.items()
            for first, last, declared, *default in spans
            if first <= at <= last
        }

    def nearest(self, version: str) -> str:
        """Return the newest release that is not newer than a version, else the oldest one."""
        older = [r for r in self.releases if version_key(r) <= version_key(version)]
        return older[-1] if older else self.releases[0]

    def names(self) -> dict[str, tuple[str, ...]]:
        """Map each name to the releases that had it, oldest first."""
        return {
            name: tuple(
                release for first, last, *_ in spans for release in self.releases[first : last + 1]
            )
            for name, spans in self._spans.items()
        }

    def with_release(
        self, version: str, fields: Iterable[str]
    ) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
        """Return releases and names as they are once a release is counted in, known or not."""
        names = self.names()
        if version in self.releases:
            return self.releases, names
        releases = tuple(sorted((*self.releases, version), key=version_key))
        for name in fields:
            names[name] = tuple(sorted((*names.get(name, ()), version), key=version_key))
        return releases, names


def load() -> History:
    """Return the table that ships with pipedoctor."""
    status = os.stat(PATH)
    return _read(PATH, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=1)
def _read(path: str, _size: int, _changed: int) -> History:
    """Read the table; where many targets are examined, it is read once."""
    with open(path, encoding="utf-8") as file:
        table = json.load(file)
    return History(table["releases"], table["types"], table["fields"])


def pack(rows: Mapping[str, Fields]) -> str:
    """Return the text of a table of releases and their fields."""
    releases = sorted(rows, key=version_key)
    types = sorted({argument.type for fields in rows.values() for argument in fields.values()})
    spans: dict[str, list[list[object]]] = {}
    for at, release in enumerate(releases):
        for name, argument in rows[release].items():
            told: list[object] = [types.index(argument.type)]
            if argument.default is not UNKNOWN:
                told.append(argument.default)
            known = spans.setdefault(name, [])
            # Compared as JSON, so that False and 0 stay apart.
            if known and known[-1][1] == at - 1 and json.dumps(known[-1][2:]) == json.dumps(told):
                known[-1][1] = at
            else:
                known.append([at, at, *told])
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(spans[name])}" for name in sorted(spans))
    head = f'"releases": {json.dumps(releases)},\n"types": {json.dumps(types)},\n'
    return f'{{{head}"fields": {{\n{lines}\n}}}}\n'


def add(history: History, version: str, fields: Fields) -> str:
    """Return the text of the table with one more release, or one read anew, in it."""
    rows: dict[str, Fields] = {release: history.fields(release) for release in history.releases}
    return pack({**rows, version: fields})


def read_tree(tree: str) -> tuple[str, Fields]:
    """
    Return the version of a source tree of transformers, and the fields that it declares.

    Raises:
        ValueError: It is no such tree.

    """
    from pipedoctor.probes.arguments import parse

    for below in ("src/transformers", "transformers", ""):
        package = os.path.join(tree, *below.split("/"))
        if os.path.isfile(os.path.join(package, "training_args.py")):
            version = _VERSION.search(_text(package, "__init__.py"))
            if version is not None:
                return version[1], parse(_text(package, "training_args.py"))
    raise ValueError(f"{tree} is no source tree of transformers")


def main(trees: Iterable[str]) -> None:
    """Read these source trees into the table that ships with pipedoctor."""
    for tree in trees:
        version, fields = read_tree(tree)
        text = add(load(), version, fields)
        with open(PATH, "w", encoding="utf-8") as file:
            file.write(text)
        sys.stdout.write(f"transformers {version}: {len(fields)} fields\n")


def _text(folder: str, name: str) -> str:
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return file.read()


if __name__ == "__main__":
    main(sys.argv[1:])
