"""
The door: entry points of the groups `pipedoctor.checks` and `pipedoctor.frameworks`.

Ours come in by it like everybody's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType

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


@cache
def entries(group: str) -> tuple[Plugin, ...]:
    """Return the installed plugins of a group."""
    from importlib.metadata import entry_points

    return tuple(Plugin(point.name, point.value) for point in entry_points(group=group))


def frameworks() -> dict[str, Plugin]:
    """Return the adapters by the package that they know."""
    return {plugin.name: plugin for plugin in entries(FRAMEWORKS)}
