"""
The words that arguments take: the values of the enums that transformers makes of them.

Those of the installed release are read from its source. `words.json` has those of releases that
were read before:

    python -m pipedoctor.probes.words SOURCE_TREE ...

adds releases to it, from folders `transformers-VERSION`.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping

from pipedoctor import cache
from pipedoctor.facts.arguments import version_key
from pipedoctor.probes import installed

FORMAT = 1
PATH = os.path.join(os.path.dirname(os.path.dirname(__file__)), "words.json")

FILES = ("trainer_utils.py", "training_args.py")
ENUMS = ("IntervalStrategy", "SaveStrategy", "HubStrategy", "SchedulerType", "OptimizerNames")

Words = Mapping[str, tuple[str, ...]]


def of(version: str, *, here: bool) -> Words | None:
    """Return the words of a version, by enum; `here` says that it is the installed one."""
    if here:
        found = _installed()
        if found is not None:
            return found
    with open(PATH, encoding="utf-8") as file:
        table: dict[str, dict[str, list[str]]] = json.load(file)
    if version_key(version) < version_key(min(table, key=version_key)):
        return None
    before = max((r for r in table if version_key(r) <= version_key(version)), key=version_key)
    # What came or went between two releases that are known may be taken or not.
    after = min(
        (r for r in table if version_key(r) >= version_key(version)),
        key=version_key,
        default=before,
    )
    return {
        enum: tuple(dict.fromkeys((*table[before].get(enum, ()), *table[after].get(enum, ()))))
        for enum in ENUMS
        if enum in table[before]
    }


def _installed() -> Words | None:
    paths = [installed.file_of("transformers", name) for name in FILES]
    try:
        stamps = [(os.stat(path).st_mtime_ns, os.stat(path).st_size) for path in paths if path]
        if len(stamps) < len(FILES):
            return None
        key = [FORMAT, paths, stamps]
        known = cache.read("words", key)
        if not isinstance(known, dict) or not known:
            known = read([path for path in paths if path])
            cache.write("words", key, known)
        return {str(enum): tuple(values) for enum, values in known.items()}
    except (OSError, SyntaxError, ValueError, TypeError, RecursionError):
        return None


def read(paths: Iterable[str]) -> dict[str, list[str]]:
    """Return the values of the enums in these files, in their order."""
    import ast

    found: dict[str, list[str]] = {}
    for path in paths:
        with open(path, encoding="utf-8") as file:
            tree = ast.parse(_enums(file.read()))
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and node.name in ENUMS:
                found[node.name] = [
                    one.value.value
                    for one in node.body
                    if isinstance(one, ast.Assign)
                    and isinstance(one.value, ast.Constant)
                    and isinstance(one.value.value, str)
                ]
    return found


def _enums(source: str) -> str:
    """Return the text of the enums in a module: to parse all of it takes fifty times as long."""
    wanted = "|".join(ENUMS)
    # A class ends before the next line that begins at the margin, but for a closing bracket.
    return "".join(
        re.findall(rf"^class (?:{wanted})\b.*\n(?:[ \t)].*\n|\n)*", source, re.MULTILINE)
    )


def main(trees: Iterable[str]) -> None:
    """Read these source trees, folders `transformers-version`, into the table that ships."""
    table = {}
    if os.path.isfile(PATH):
        with open(PATH, encoding="utf-8") as file:
            table = json.load(file)
    for tree in trees:
        version = os.path.basename(os.path.normpath(tree)).partition("-")[2]
        table[version] = read(os.path.join(tree, "transformers", name) for name in FILES)
    rows = ",\n".join(
        f"{json.dumps(release)}: {json.dumps(table[release])}"
        for release in sorted(table, key=version_key)
    )
    with open(PATH, "w", encoding="utf-8") as file:
        file.write(f"{{\n{rows}\n}}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
