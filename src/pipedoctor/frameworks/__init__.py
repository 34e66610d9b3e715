"""
Adapters: the only code that knows a framework.

An adapter is a module that defines probes, named by an entry point of the group
`pipedoctor.frameworks` after the package whose objects it knows. It imports that package inside
its functions only, so that listing what could be measured costs nothing. For each part the
nearest package among its base classes with an adapter wins, so a Keras model on the torch
backend is Keras's; a part of a package that nobody knows is left to the plain probes.
"""

from __future__ import annotations

from pipedoctor import index, plugins
from pipedoctor.parts import Parts
from pipedoctor.probe import Probe, listed

PLAIN = "pipedoctor.probes"
"""The probes that need no framework, and are there for all parts."""


def probes(parts: Parts) -> list[Probe]:
    """Return how to measure each fact that could be measured on these parts."""
    adapters = plugins.frameworks()
    chosen = dict.fromkeys([PLAIN])
    for name in parts:
        nearest = next((p for p in parts.packages(name) if p in adapters), None)
        if nearest is not None:
            chosen[adapters[nearest].module] = None
    return [
        listed(module, function, row)
        for package in chosen
        for module, held in index.modules(package).items()
        for function, row in held.get("probes", {}).items()
    ]
