"""Processors, memory and room of this machine."""

from __future__ import annotations

import os
import sys
from typing import Any

from pipedoctor.fact import UNKNOWN, Cost, Split, Unavailable, unknown
from pipedoctor.facts.machine import Machine, Room
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes import cgroups, disk
from pipedoctor.probes.surroundings import stated

SHARED = "/dev/shm"  # noqa: S108 - it is looked at, nothing is put there


@probe(Machine, Cost.STATIC, "surroundings")
def machine(_pipeline: Pipeline, _split: Split) -> Machine:
    """Ask the operating system."""
    return measured("/")


@probe(Machine, Cost.FILES, "settings")
def machine_of_a_run(pipeline: Pipeline, _split: Split) -> Machine:
    """Ask the operating system about the machine that a run is examined on."""
    if "gpus" in (pipeline.parts.get("environment") or {}):
        raise Unavailable("the GPUs are stated, and may be those of another machine")
    return measured("/")


@probe(Machine, Cost.STATIC, "environment")
def machine_stated(pipeline: Pipeline, _split: Split) -> Machine:
    """Take what the environment states."""
    told = stated(pipeline, "machine")
    for name in {"shared", "here"} & set(told):
        told[name] = Room(**told[name])
    return Machine(**told)


def measured(root: str) -> Machine:
    """Return what the files of the kernel below `root` say, and the operating system."""
    limits = cgroups.limits(root)
    whole = _memory(root)
    known = isinstance(whole, int)
    limit = limits.memory if limits.memory is None or not known else min(limits.memory, whole)
    if known and limit == whole:
        limit = None  # a limit that is no tighter than the machine itself limits nothing
    return Machine(
        system=_system(),
        processors=os.cpu_count() or UNKNOWN,
        allowed=_allowed(),
        quota=limits.processors,
        threads=_threads(os.environ.get("OMP_NUM_THREADS")),
        memory=whole,
        limit=limit,
        available=_available(root, limit, limits.used),
        shared=room(SHARED),
        here=room(_here()),
    )


def room(path: str | None) -> Any:
    """Return the room of a folder that is there, or a value that says why it is not known."""
    if path is None:
        return unknown("the working directory is gone")
    if not os.path.isdir(path):
        return unknown(f"there is no {path}")
    try:
        return Room(path, *disk.measure(path))
    except Unavailable as reason:
        return unknown(reason)


def _here() -> str | None:
    try:
        return os.getcwd()
    except OSError:  # it was deleted
        return None


def _system() -> str:
    if not hasattr(os, "uname"):
        return sys.platform
    told = os.uname()
    return f"{told.sysname} {told.release} {told.machine}"


def _allowed() -> Any:
    if not hasattr(os, "sched_getaffinity"):
        return unknown("which processors a process may use can be asked on Linux only")
    return len(os.sched_getaffinity(0))


def _threads(stated: str | None) -> int | None:
    """Return the number of threads that OMP_NUM_THREADS says; it may hold one for each level."""
    first = (stated or "").split(",")[0].strip()
    return int(first) if first.isdecimal() and int(first) else None


def _memory(root: str) -> Any:
    told = _meminfo(root, "MemTotal")
    if told is not None:
        return told
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return unknown("how much memory this machine has is not known")


def _available(root: str, limit: int | None, used: int | None) -> Any:
    """Return what is left: of the machine, and of the container's limit, whichever is less."""
    left = _meminfo(root, "MemAvailable")
    if limit is not None and used is not None:
        mine = max(0, limit - used)
        left = mine if left is None else min(left, mine)
    return unknown("how much memory is left is not known") if left is None else left


def _meminfo(root: str, name: str) -> int | None:
    """Return the bytes of one line of /proc/meminfo."""
    for line in (cgroups.read(os.path.join(root, "proc", "meminfo")) or "").splitlines():
        key, _, value = line.partition(":")
        words = value.split()
        if key == name and words and words[0].isdecimal():
            return int(words[0]) * 1024
    return None
