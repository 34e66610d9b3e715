"""The fact `Gpus`: as the environment states it, or as the driver tells it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipedoctor.fact import Cost, Split, Unavailable, unknown
from pipedoctor.facts.environment import Environment
from pipedoctor.facts.gpus import Gpu, Gpus, Holder
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes.environment import stated_environment
from pipedoctor.probes.gpu.interface import Watcher

LACKING = "nvidia-ml-py is not installed, which asks the driver: pip install nvidia-ml-py"


@probe(Gpus, Cost.STATIC)
def gpus(pipeline: Pipeline, _split: Split) -> Gpus:
    """Ask the driver, through NVML, which takes no memory itself."""
    stated = stated_environment(pipeline)
    if "devices" in stated:
        return Gpus(tuple(map(_stated, range(len(stated["devices"])), stated["devices"])))
    if stated:
        raise Unavailable("the environment that was given says nothing of GPUs")
    machine = pipeline.fact(Environment)
    if machine.known("gpus") and not machine.gpus:
        raise Unavailable("there is no GPU")
    from pipedoctor.frameworks.live.nvml import Nvml

    return told(Nvml(), machine.gpus if machine.known("gpus") else None)


def told(watcher: Watcher, seen: int | None) -> Gpus:
    """
    Return what is known of the GPUs that a training would see.

    Raises:
        Unavailable: The driver does not answer.

    """
    found = watcher.gpus()
    if not found:
        raise Unavailable("there is no GPU")
    return Gpus(
        found if seen is None else found[:seen],
        unknown("how much TensorFlow took is not told here"),
    )


def _stated(index: int, told: Any) -> Gpu:
    if not isinstance(told, Mapping) or not {"total", "free"} <= set(told):
        raise Unavailable(f"device {index} of the environment has no total and free bytes")
    return Gpu(
        index,
        str(told.get("name", "GPU")),
        int(told["total"]),
        int(told["free"]),
        tuple(Holder(**holder) for holder in told.get("processes", ())),
    )
