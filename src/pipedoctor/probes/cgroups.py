"""
The limits of a container: control groups of Linux, of the first and of the second version.

A process stands in a group that stands in others; the tightest limit above it holds. Inside a
container the path of its own group may not be there, and the root stands for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

NONE = 1 << 60
"""The first version writes a number of this size for "no limit"."""


@dataclass(frozen=True)
class Limits:
    """What a container may use: bytes of memory and those in use, and processors; None: all."""

    memory: int | None = None
    used: int | None = None
    processors: float | None = None


def limits(root: str = "/") -> Limits:
    """Return the limits of this process; `root` is where its /proc and /sys are."""
    base = os.path.join(root, "sys", "fs", "cgroup")
    groups = _groups(os.path.join(root, "proc", "self", "cgroup"))
    if os.path.isfile(os.path.join(base, "cgroup.controllers")):
        folders = list(_upwards(base, groups.get("", "/")))
        memory, used = _memory(folders, "memory.max", "memory.current")
        return Limits(memory, used, _least(map(_quota, folders)))
    folders = list(_upwards(os.path.join(base, "memory"), groups.get("memory", "/")))
    memory, used = _memory(folders, "memory.limit_in_bytes", "memory.usage_in_bytes")
    name = next(
        (one for one in ("cpu", "cpu,cpuacct") if os.path.isdir(os.path.join(base, one))), ""
    )
    folders = list(_upwards(os.path.join(base, name), groups.get("cpu", "/"))) if name else []
    return Limits(memory, used, _least(map(_old_quota, folders)))


def _groups(path: str) -> dict[str, str]:
    """Return the group of this process for each controller, "" for that of the second version."""
    found: dict[str, str] = {}
    for line in (read(path) or "").splitlines():
        parts = line.split(":", 2)
        if len(parts) == 3:
            found |= dict.fromkeys(parts[1].split(","), parts[2])
    return found


def _upwards(base: str, group: str) -> Iterator[str]:
    """Yield the folder of a group and those above it, as far as they are there."""
    path = os.path.normpath(os.path.join(base, group.lstrip("/")))
    while path.startswith(base):
        if os.path.isdir(path):
            yield path
        if path == base:
            return
        path = os.path.dirname(path)
    if os.path.isdir(base):  # the group lies outside of what is mounted here
        yield base


def _memory(folders: list[str], limit: str, usage: str) -> tuple[int | None, int | None]:
    """Return the tightest limit of memory, and what is in use of it."""
    found = [(number(os.path.join(f, limit)), number(os.path.join(f, usage))) for f in folders]
    bounds = [(most, used) for most, used in found if most is not None and 0 < most < NONE]
    return min(bounds, key=lambda pair: pair[0]) if bounds else (None, None)


def _quota(folder: str) -> float | None:
    words = (read(os.path.join(folder, "cpu.max")) or "").split()
    if len(words) != 2 or not words[0].isdecimal() or not words[1].isdecimal():
        return None  # "max" is no number: there is no limit
    return int(words[0]) / int(words[1]) if int(words[1]) else None


def _old_quota(folder: str) -> float | None:
    quota = number(os.path.join(folder, "cpu.cfs_quota_us"))
    period = number(os.path.join(folder, "cpu.cfs_period_us"))
    return quota / period if quota is not None and quota > 0 and period else None


def _least(values: Iterator[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)


def number(path: str) -> int | None:
    """Return the number in a file of the kernel's, None where there is none."""
    with suppress(ValueError):
        return int(read(path) or "")
    return None


def read(path: str) -> str | None:
    """Return the text of a file of the kernel's, None where it can't be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(1 << 16)
    except OSError:
        return None
