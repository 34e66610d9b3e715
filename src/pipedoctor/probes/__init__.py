"""
Probes that need no framework: what settings, files and plain Python data tell by themselves.

Each module here measures one fact, or reads one kind of source.
"""

from __future__ import annotations

from pipedoctor.probe import Probe


def all_probes() -> list[Probe]:
    """Return these probes, each as the index lists it."""
    from pipedoctor import frameworks
    from pipedoctor.parts import Parts

    return frameworks.probes(Parts({}))
