"""
Adapters: the only code that knows a framework.

An adapter is a module that defines probes, named by an entry point of the group
`pipedoctor.frameworks` after the package whose objects it knows. It imports that package inside
its functions only, so that listing what could be measured costs nothing. For each part the
nearest package among its base classes with an adapter wins, so a Keras model on the torch
backend is Keras's; a part of a package that nobody knows is left to the plain probes.
"""

from __future__ import annotations

from pipedoctor.parts import Parts
from pipedoctor.probe import Probe, probes_in


def probes(parts: Parts) -> list[Probe]:
    """Return how to measure each fact that could be measured on these parts."""
    from pipedoctor import plugins
    from pipedoctor import probes as plain

    known = plain.all_probes()
    adapters = plugins.frameworks()
    chosen: dict[str, None] = {}
    for name in parts:
        for package in parts.packages(name):
            if package in adapters:
                chosen[package] = None
                break
    for package in chosen:
        known += probes_in(adapters[package].load())
    return list(dict.fromkeys(known))  # an adapter may share probes with another
