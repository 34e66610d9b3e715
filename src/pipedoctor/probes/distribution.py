"""How a run is spread over processes, as far as settings and environment tell."""

from __future__ import annotations

import os
from typing import Any

from pipedoctor.fact import Cost, Split, Unavailable, unknown
from pipedoctor.facts.distribution import Distribution
from pipedoctor.facts.replicas import Replicas
from pipedoctor.facts.settings import Settings
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes.environment import stated_environment

CHECKPOINTING = ("activation_checkpointing", "gradient_checkpointing")


@probe(Distribution, Cost.STATIC)
def distribution(pipeline: Pipeline, _split: Split) -> Distribution:
    """Read what is stated; what Trainer makes of it, where that is sure."""
    if "trainer" in pipeline.parts:
        raise Unavailable("the trainer itself says how it is spread")
    settings = pipeline.optional(Settings)
    return Distribution(
        processes=processes(pipeline),
        wrapped=False if _shared_out(settings) else whole_model(pipeline),
        finds_unused=_finds_unused(settings),
    )


@probe(Replicas, Cost.STATIC)
def replicas(pipeline: Pipeline, _split: Split) -> Replicas:
    """Take what is stated of a process that nobody asks here."""
    stated: Any = stated_environment(pipeline).get("replicas")
    if not isinstance(stated, int):
        raise Unavailable("only a trainer knows whether it copies the model to several GPUs")
    return Replicas(stated, sure=True)


def processes(pipeline: Pipeline) -> int:
    """
    Return how many processes train: as stated, or as the launcher tells, or this process of it.

    Raises:
        Unavailable: Nobody started this process as one of several.

    """
    launched: Any = pipeline.parts.get("launch", {}).get("processes", os.environ.get("WORLD_SIZE"))
    stated: Any = stated_environment(pipeline).get("processes", launched)
    try:
        return int(stated)
    except (TypeError, ValueError):
        raise Unavailable(
            "this is not known to be a run of several processes: WORLD_SIZE is not set"
        ) from None


def whole_model(pipeline: Pipeline) -> Any:
    """Return whether each process holds the whole model, as far as the launcher decides that."""
    wrapped = pipeline.parts.get("launch", {}).get("wrapped", True)
    if wrapped is None:
        return unknown("the config that accelerate launch reads says how the model is shared")
    return wrapped


def _shared_out(settings: Settings | None) -> bool:
    return settings is not None and bool(settings.get("deepspeed") or settings.get("fsdp"))


def _finds_unused(settings: Settings | None) -> Any:
    if settings is None:
        return unknown("no settings say whether DistributedDataParallel looks for unused ones")
    stated = settings.get("ddp_find_unused_parameters")
    if isinstance(stated, bool):
        return stated
    if any(settings.get(name) is True for name in CHECKPOINTING):
        return unknown("with gradient checkpointing it hangs on the kind of model")
    return True
