"""
The door: entry points of the groups `pipedoctor.checks` and `pipedoctor.frameworks`.

Ours come in by it like everybody's. Looking through the metadata of all installed packages takes
its time, so the answer is remembered until a folder of packages changes.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from pipedoctor import cache as remembered

CHECKS = "pipedoctor.checks"
FRAMEWORKS = "pipedoctor.frameworks"


@dataclass(frozen=True)
class Plugin:
    """An entry point: its name, and the module that it names."""

    name: str
    module: str

    def load(self) -> ModuleType:
        """Import the module."""
        return import_module(self.module)


def entries(group: str) -> tuple[Plugin, ...]:
    """Return the installed plugins of a group."""
    return tuple(Plugin(name, module) for name, module in _installed().get(group, ()))


def frameworks() -> dict[str, Plugin]:
    """Return the adapters by the package that they know."""
    return {plugin.name: plugin for plugin in entries(FRAMEWORKS)}


def state() -> list[list[Any]]:
    """Return what changes when a package is installed or removed: folders and their times."""
    folders: list[list[Any]] = []
    for path in sys.path[1:]:  # the first is the script's own folder
        try:
            folders.append([path, os.stat(path).st_mtime_ns])
        except OSError:
            continue
    return folders


@cache
def _installed() -> dict[str, list[list[str]]]:
    key = state()
    known = remembered.read("plugins", key)
    if isinstance(known, dict):
        return known
    from pipedoctor.doors import declared

    found = declared((CHECKS, FRAMEWORKS))
    remembered.write("plugins", key, found)
    return found
