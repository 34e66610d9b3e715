"""The configs beside a training config, as flat statements: `zero_optimization.stage`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.companions import Companions, Statement
from pipedoctor.finding import NOWHERE
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe

TOOLS = ("deepspeed", "accelerate")
"""The entries of the part `launch_config`."""

OLDER = frozenset({"fp16", "dynamo_backend"})
"""What accelerate still translates from configs of its first releases."""

DEEPEST = 8
"""No config nests its keys so deeply."""


@probe(Companions, Cost.STATIC, "launch_config")
def companions(pipeline: Pipeline, _split: Split) -> Companions:
    """Read what was given, key by key."""
    given = pipeline.part("launch_config")
    found: list[Statement] = []
    for tool in TOOLS:
        part = given.get(tool) if isinstance(given, Mapping) else None
        if isinstance(part, Mapping):
            where = getattr(part, "where", None)
            found += [
                Statement(tool, key, value, where(key) if where else replace(NOWHERE, key=key))
                for key, value in _flat(part)
            ]
    if not found:
        raise Unavailable("no config of accelerate or DeepSpeed was given")
    if not any(statement.tool == "accelerate" for statement in found):
        return Companions(tuple(found))
    from pipedoctor.probes import dialects

    table = dialects.load("accelerate")
    keys = frozenset(table.fields) | OLDER
    unknown = [s for s in found if s.tool == "accelerate" and s.key.partition(".")[0] not in keys]
    return Companions(tuple(found), tuple(unknown), keys, table.version, table.installed)


def _flat(part: Mapping[str, Any], before: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    for key, value in part.items():
        name = f"{before}{key}"
        if isinstance(value, Mapping) and depth < DEEPEST:
            yield from _flat(value, f"{name}.", depth + 1)
        elif value not in ("auto", None):
            yield name, value
