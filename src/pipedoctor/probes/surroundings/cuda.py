"""
The GPUs, as torch sees them.

The only place that asks about architectures and drivers. It was tried on machines without a GPU
only; what torch answers on one with GPUs is stood in for by tests.
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from typing import Any

from pipedoctor.fact import UNKNOWN, Cost, Split, Unavailable, unknown
from pipedoctor.facts.cuda import Cuda, Device
from pipedoctor.facts.environment import Environment
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes import cgroups
from pipedoctor.probes.environment import visible
from pipedoctor.probes.surroundings import asking, stated

SECONDS = 60.0
"""Importing torch from a cold disk of a network takes half of it."""

DRIVER = "/proc/driver/nvidia/version"
_VERSION = re.compile(r"Kernel Module\s+(?:for \S+\s+)?(\d+\.[\d.]+)")


@probe(Cuda, Cost.STATIC, "surroundings")
def cuda(pipeline: Pipeline, _split: Split) -> Cuda:
    """Count the files of the driver, and ask torch in a child."""
    present = present_here()
    if "torch" not in pipeline.fact(Environment).versions:
        why = unknown("torch is not installed")
        return Cuda(present, why, why, why, why, driver=driver_of(cgroups.read(DRIVER) or ""))
    if not pipeline.part("surroundings").get("children", True):
        raise Unavailable("no other process was to be started, so torch was not asked")
    return _asked(present)


@probe(Cuda, Cost.STATIC, "environment")
def cuda_stated(pipeline: Pipeline, _split: Split) -> Cuda:
    """Take what the environment states."""
    told = stated(pipeline, "cuda")
    versions = pipeline.fact(Environment).versions
    return of({"torch": versions.get("torch"), **told}, told.get("present"))


@probe(Cuda, Cost.MODEL, "settings")
def cuda_of_a_run(pipeline: Pipeline, _split: Split) -> Cuda:
    """Ask torch in a child, where there are GPUs; without, this is not the machine that trains."""
    environment = pipeline.fact(Environment)
    if "gpus" in (pipeline.parts.get("environment") or {}):
        raise Unavailable("the GPUs are stated, and may be those of another machine")
    if not environment.gpus:
        raise Unavailable("there is no GPU here")
    if "torch" not in environment.versions:
        raise Unavailable("torch is not installed")
    return _asked(environment.gpus)


def _asked(present: int) -> Cuda:
    driver = driver_of(cgroups.read(DRIVER) or "")
    answer = asking.ask("told()", "from pipedoctor.frameworks.devices import told", SECONDS)
    if answer.value is None:
        why = unknown(f"torch could not be asked: {answer.failure}")
        refusal = "" if answer.late else answer.failure
        return Cuda(present, why, why, why, why, refusal=refusal, driver=driver)
    return of({**answer.value, "driver": driver}, present)


def of(told: dict[str, Any], present: int | None) -> Cuda:
    """Return the fact that such plain data stand for."""
    devices = [
        Device(one["name"], (one["capability"][0], one["capability"][1]), one.get("memory", 0))
        for one in told.get("devices", ())
    ]
    arches = told.get("arches")
    return Cuda(
        present=len(devices) if present is None else present,
        torch=told.get("torch") or UNKNOWN,
        build=told.get("build", UNKNOWN),
        arches=UNKNOWN if arches is None else tuple(arches),
        devices=tuple(devices),
        refusal=told.get("refusal", ""),
        driver=told.get("driver", ""),
        mps=told.get("mps", False),
    )


def present_here() -> int:
    """Count the GPUs that NVIDIA's driver has files for, and that CUDA_VISIBLE_DEVICES leaves."""
    if sys.platform != "linux":
        return 0
    with suppress(OSError):
        files = sum(n.startswith("nvidia") and n[6:].isdecimal() for n in os.listdir("/dev"))
        return visible(files, os.environ.get("CUDA_VISIBLE_DEVICES"))
    return 0


def driver_of(text: str) -> str:
    """Return the version of NVIDIA's driver, from what it says of itself."""
    found = _VERSION.search(text)
    return found[1] if found else ""
