"""
Probes that need no framework: what settings, files and plain Python data tell by themselves.

Each module here measures one fact, or reads one kind of source.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

from pipedoctor.probe import Probe, probes_in


def all_probes() -> list[Probe]:
    """Return the probes of all modules of this package."""
    found: list[Probe] = []
    for info in pkgutil.iter_modules(__path__):
        found += probes_in(import_module(f"{__name__}.{info.name}"))
    return found
