"""
The index of a package of checks: what its modules declare, so that none need be imported.

Ours ships as `index.json` beside the modules (`python -m pipedoctor.generate` writes it); that of
a third party without one is remembered in the user's cache. It is only believed as far as it
fits the files: a module that is new, or has another size than when the index was written, is
imported instead.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from pipedoctor import cache as remembered

Entry = dict[str, Any]
Modules = dict[str, Any]

FORMAT = 1


def entries(package: str) -> list[Entry]:
    """Return an entry for each check of a package, or of a single module."""
    folder = folder_of(package)
    if folder is None:
        return _declared(import_module(package))
    shipped = _shipped(folder)
    known = shipped or remembered.read(f"checks-{package}", [FORMAT, folder]) or {}
    current = _modules_of(package, folder, known)
    if shipped is None and current != known:
        remembered.write(f"checks-{package}", [FORMAT, folder], current)
    return [entry for module in current.values() for entry in module["checks"]]


def text(package: str) -> str:
    """Return the index of a package as its file should read."""
    folder = folder_of(package)
    assert folder is not None, f"{package} is no package"
    index = {"format": FORMAT, "modules": _modules_of(package, folder, {})}
    return json.dumps(index, indent=1, ensure_ascii=False) + "\n"


def folder_of(package: str) -> str | None:
    """Return the folder of a package, or None for a single module; nothing is imported."""
    spec = find_spec(package)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {package!r}")
    locations = list(spec.submodule_search_locations or ())
    return locations[0] if locations else None


def _shipped(folder: str) -> Modules | None:
    try:
        with open(os.path.join(folder, "index.json"), encoding="utf-8") as file:
            index = json.load(file)
    except (OSError, ValueError):
        return None
    return index["modules"] if index.get("format") == FORMAT else None


def _modules_of(package: str, folder: str, known: Modules) -> Modules:
    """Return size and checks of each module, importing those that are not known as they are."""
    current: Modules = {}
    for name, size in _files(package, folder):
        if name in known and known[name]["size"] == size:
            current[name] = known[name]
        else:
            current[name] = {"size": size, "checks": _declared(import_module(name))}
    return current


def _files(package: str, folder: str) -> Iterator[tuple[str, int]]:
    """Yield the name and size of each module below a folder, in the order of their names."""
    with os.scandir(folder) as listing:
        children = sorted(listing, key=lambda child: child.name)
    for child in children:
        if child.name.isidentifier() and child.name != "__pycache__" and child.is_dir():
            yield from _files(f"{package}.{child.name}", child.path)
        elif child.name.endswith(".py"):
            name = package if child.name == "__init__.py" else f"{package}.{child.name[:-3]}"
            yield name, child.stat().st_size


def _declared(module: ModuleType) -> list[Entry]:
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
