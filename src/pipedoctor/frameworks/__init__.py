"""
Adapters: the only code that knows a framework.

An adapter is a module that defines probes, named by an entry point of the group
`pipedoctor.frameworks` after the package whose objects it knows. It imports that package inside
its functions only, so that listing what could be measured costs nothing. For each part the
nearest package among its base classes with an adapter wins, so a Keras model on the torch
backend is Keras's; a part of a package that nobody knows is left to the plain probes.

The adapters themselves are the modules named after a package; the rooms beside them hold what
they are made of.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipedoctor import index, plugins
from pipedoctor.parts import Parts
from pipedoctor.probe import Probe, listed

PLAIN = "pipedoctor.probes"
"""The probes that need no framework, and are there for all parts."""

LOOPS = "pipedoctor.frameworks.loops"
"""The probes of training loops, which are there where one was seen."""


def unpack(trainer: Any, call: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """
    Return the parts of a trainer whose training is called for with these arguments.

    Raises:
        TypeError: No adapter knows such a trainer.

    """
    adapters = plugins.frameworks()
    for package in Parts({"trainer": trainer}).packages("trainer"):
        unpacking = (
            getattr(adapters[package].load(), "unpack", None) if package in adapters else None
        )
        if unpacking is not None:
            parts: dict[str, Any] = unpacking(trainer, call)
            return parts
    raise TypeError(f"{type(trainer).__name__} is no trainer that pipedoctor knows")


def probes(parts: Parts, problems: list[str] | None = None) -> list[Probe]:
    """
    Return how to measure each fact that could be measured on these parts.

    An adapter that can't be loaded hides no other; a line about it is added to `problems`.
    """
    adapters = plugins.frameworks()
    chosen = {PLAIN: "the plain probes"}
    for name in parts:
        nearest = next((p for p in parts.packages(name) if p in adapters), None)
        if nearest is not None:
            chosen[adapters[nearest].module] = nearest
    if "loop" in parts or "loads" in parts:
        chosen[LOOPS] = "the probes of loops"
    found: list[Probe] = []
    for package, name in chosen.items():
        try:
            modules = index.modules(package)
        except Exception as error:
            if package == PLAIN:  # no report could be relied on without these
                raise
            if problems is not None:
                problems.append(f"adapter {name}: {type(error).__name__}: {error}")
            continue
        found += [
            listed(module, function, row)
            for module, held in modules.items()
            for function, row in held.get("probes", {}).items()
        ]
    return found
