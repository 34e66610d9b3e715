"""
The index of a package: which checks and probes its modules hold, so that none need be imported.

Ours ship at the top of their packages (`python -m pipedoctor.generate` writes them); that of a
third party without one is remembered in the user's cache, until one of its files changes. A
shipped index is only believed as far as it fits the files: a module that is new, or has another
size than when the index was written, is imported instead.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from pipedoctor import cache as remembered

Contents = dict[str, Any]
Modules = dict[str, Contents]

FORMAT = 4
NAME = "pipedoctor-index.json"


def modules(name: str) -> Modules:
    """Return what each module of a package holds, or of the single module of that name."""
    top = name.partition(".")[0]
    folder = folder_of(top)
    if folder is None:
        return {name: _contents(import_module(name))}
    shipped = _shipped(folder)
    if shipped is not None:
        return _current(name, shipped)
    key = [FORMAT, folder, [[module, size, when] for module, size, when in _files(top, folder)]]
    known: Modules | None = remembered.read(f"index-{name}", key)
    if known is None:
        known = _current(name, {})
        remembered.write(f"index-{name}", key, known)
    return known


def text(*names: str) -> str:
    """Return the index of packages of one top-level package as its file should read."""
    found: Modules = {}
    for name in names:
        found |= _current(name, {})
    return json.dumps({"format": FORMAT, "modules": found}, indent=1, ensure_ascii=False) + "\n"


def folder_of(package: str) -> str | None:
    """Return the folder of a package, or None for a single module; nothing is imported."""
    spec = find_spec(package)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {package!r}")
    locations = list(spec.submodule_search_locations or ())
    return locations[0] if locations else None


def _shipped(folder: str) -> Modules | None:
    path = os.path.join(folder, NAME)
    try:
        status = os.stat(path)
        return _parsed(path, status.st_size, status.st_mtime_ns)
    except (OSError, ValueError):
        return None


@cache
def _parsed(path: str, _size: int, _changed: int) -> Modules | None:
    """Return what an index file holds; where many targets are examined, it is read once."""
    with open(path, encoding="utf-8") as file:
        index = json.load(file)
    fits = isinstance(index, dict) and index.get("format") == FORMAT
    return index["modules"] if fits else None


def _current(name: str, known: Modules) -> Modules:
    """Return what the modules hold, importing those that are not known as they are."""
    top, _, inner = name.partition(".")
    folder = folder_of(top)
    assert folder is not None, f"{top} is no package"
    path = os.path.join(folder, *inner.split(".")) if inner else folder
    files = _files(name, path) if os.path.isdir(path) else [(name, _size(f"{path}.py"), 0)]
    current: Modules = {}
    for module, size, _ in files:
        if module in known and known[module]["size"] == size:
            current[module] = known[module]
        else:
            current[module] = {"size": size, **_contents(import_module(module))}
    return current


def _size(path: str) -> int:
    return os.stat(path).st_size


def _files(package: str, folder: str) -> Iterator[tuple[str, int, int]]:
    """Yield name, size and time of each module below a folder, in the order of their names."""
    with os.scandir(folder) as listing:
        children = sorted(listing, key=lambda child: child.name)
    for child in children:
        if child.name.isidentifier() and child.name != "__pycache__" and child.is_dir():
            yield from _files(f"{package}.{child.name}", child.path)
        elif child.name.endswith(".py"):
            name = package if child.name == "__init__.py" else f"{package}.{child.name[:-3]}"
            status = child.stat()
            yield name, status.st_size, status.st_mtime_ns


def _contents(module: ModuleType) -> Contents:
    from pipedoctor.declare import Check
    from pipedoctor.probe import Probe

    held: Contents = {}
    for name, value in vars(module).items():
        if isinstance(value, Check) and value.diagnose.__module__ == module.__name__:
            held.setdefault("checks", {})[name] = _check(value)
        elif isinstance(value, Probe):
            held.setdefault("probes", {})[name] = _probe(value)
    return held


def _check(check: Any) -> Contents:
    for pattern in check.symptoms:  # here rather than at each start: compiling takes its time
        try:
            re.compile(pattern)
        except re.error as error:
            text = f"{check.code}: the symptom {pattern!r} is no regular expression: {error}"
            raise TypeError(text) from None
    return {
        "code": check.code,
        "name": check.name,
        "summary": check.summary,
        "severity": check.severity.name,
        "stage": check.stage.name,
        "explains": sorted(check.explains),
        "in_text": check.in_text is not None,
        "needs": [
            [need.fact.__name__, need.split.value if need.split else None, need.optional]
            for need in check.needs
        ],
        "options": dict(check.options),
        "symptoms": dict(check.symptoms),
    }


def _probe(probe: Any) -> Contents:
    return {
        "provides": probe.provides,
        "cost": probe.cost.name,
        "parts": list(probe.parts),
        "user_code": probe.user_code,
    }
