"""
What surrounds a training: the machine, the packages, the GPUs, the cache of the hub.

Nothing heavy is imported here. What only a framework knows is asked of it in a child process.
The part `environment` may state each fact instead, under its name in small letters; that is also
how the manual's examples and the tests stand in for a machine that they don't have.
"""

from __future__ import annotations

from typing import Any

from pipedoctor.fact import Elsewhere
from pipedoctor.pipeline import Pipeline
from pipedoctor.probes.environment import stated_environment


def stated(pipeline: Pipeline, name: str) -> dict[str, Any]:
    """
    Return what the environment that was given states of a fact.

    Raises:
        Elsewhere: It states nothing of it.

    """
    found = stated_environment(pipeline).get(name)
    if not isinstance(found, dict):
        raise Elsewhere(f"the environment states no {name}")
    return dict(found)
