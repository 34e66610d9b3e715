"""
The index of a package of checks: a JSON file beside its modules that spares importing them.

    python -m pipedoctor.index pipedoctor_checks

writes it. It is only believed as far as it fits the files: a module that is new, or has another
size than when the index was written, is imported instead.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

Entry = dict[str, Any]

FORMAT = 1


def read(package: str) -> list[Entry] | None:
    """Return the entries of a package's checks, or None where it ships no index that fits."""
    folder = _folder(package)
    if folder is None:
        return None
    try:
        with open(os.path.join(folder, "index.json"), encoding="utf-8") as file:
            index = json.load(file)
    except (OSError, ValueError):
        return None
    if index.get("format") != FORMAT:
        return None
    entries: list[Entry] = []
    for module, size in _modules(package, folder):
        known = index["modules"].get(module)
        if known is not None and known["size"] == size:
            entries += known["checks"]
        else:
            entries += _entries(import_module(module))
    return entries


def build(package: str) -> list[Entry]:
    """Import a package, or a single module, and return the entries of its checks."""
    module = import_module(package)
    entries = _entries(module)
    folder = _folder(package)
    if folder is not None:
        for name, _ in _modules(package, folder):
            entries += _entries(import_module(name))
    return entries


def text(package: str) -> str:
    """Return the index of a package as its file should read."""
    folder = _folder(package)
    assert folder is not None, f"{package} is no package"
    modules = {}
    for name, size in _modules(package, folder):
        modules[name] = {"size": size, "checks": _entries(import_module(name))}
    return json.dumps({"format": FORMAT, "modules": modules}, indent=1, ensure_ascii=False) + "\n"


def _folder(package: str) -> str | None:
    spec = find_spec(package)
    locations = list(spec.submodule_search_locations or ()) if spec else []
    return locations[0] if locations else None


def _modules(package: str, folder: str) -> Iterator[tuple[str, int]]:
    """Yield the name and size of each module below a folder, in the order of their names."""
    with os.scandir(folder) as listing:
        children = sorted(listing, key=lambda child: child.name)
    for child in children:
        if child.is_dir() and child.name.isidentifier() and child.name != "__pycache__":
            yield from _modules(f"{package}.{child.name}", child.path)
        elif child.name.endswith(".py") and child.name != "__init__.py":
            yield f"{package}.{child.name[:-3]}", child.stat().st_size


def _entries(module: ModuleType) -> list[Entry]:
    from pipedoctor.declare import Check

    return [
        {
            "code": check.code,
            "name": check.name,
            "summary": check.summary,
            "severity": check.severity.name,
            "stage": check.stage.name,
            "explains": sorted(check.explains),
            "needs": [
                [need.fact.__name__, need.split.value if need.split else None, need.optional]
                for need in check.needs
            ],
            "options": dict(check.options),
            "symptoms": dict(check.symptoms),
            "module": module.__name__,
            "function": function,
        }
        for function, check in vars(module).items()
        if isinstance(check, Check) and check.diagnose.__module__ == module.__name__
    ]


def main(packages: list[str]) -> None:
    """Write the index of each package beside its modules."""
    for package in packages:
        folder = _folder(package)
        assert folder is not None, f"{package} is no package"
        with open(os.path.join(folder, "index.json"), "w", encoding="utf-8") as file:
            file.write(text(package))


if __name__ == "__main__":
    main(sys.argv[1:])
