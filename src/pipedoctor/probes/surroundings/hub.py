"""The cache of the Hugging Face hub: where it is, and how much lies in it."""

from __future__ import annotations

import os
import time
from typing import Any

from pipedoctor.fact import Cost, Split, unknown
from pipedoctor.facts.hub_home import HubHome
from pipedoctor.facts.machine import Room
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes import disk
from pipedoctor.probes.surroundings import stated
from pipedoctor.probes.surroundings.machine import room

OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE")
TRUE = frozenset({"1", "ON", "YES", "TRUE"})
"""What huggingface_hub 2.4.0 takes for a truth, in capitals."""

CACHES = ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE")
PATIENCE = 1.0
"""Seconds that are spent on counting the bytes of a cache: a network's disk may take minutes."""


@probe(HubHome, Cost.STATIC, "surroundings")
def hub_home(_pipeline: Pipeline, _split: Split) -> HubHome:
    """Follow the variables as huggingface_hub does."""
    path, by = where(dict(os.environ))
    exists = os.path.isdir(path)
    size, whole = measured(path) if exists else (unknown(f"there is no {path}"), True)
    return HubHome(
        path=path,
        by=by,
        exists=exists,
        bytes=size,
        whole=whole,
        room=room(disk.existing(path)),
        barred="" if exists else barred(path),
        offline=tuple(name for name in OFFLINE if os.environ.get(name, "").upper() in TRUE),
    )


@probe(HubHome, Cost.STATIC, "environment")
def hub_home_stated(pipeline: Pipeline, _split: Split) -> HubHome:
    """Take what the environment states."""
    told = stated(pipeline, "hub")
    rooms = {"room": Room(**told["room"])} if "room" in told else {}
    return HubHome(**{"by": "", "exists": True, **told, **rooms})


def where(variables: dict[str, str]) -> tuple[str, str]:
    """Return the folder of the cache, and the variable that says so."""
    for name in CACHES:
        if variables.get(name):
            return _expanded(variables[name]), name
    if variables.get("HF_HOME"):
        return _expanded(os.path.join(variables["HF_HOME"], "hub")), "HF_HOME"
    if variables.get("XDG_CACHE_HOME"):
        folder = os.path.join(variables["XDG_CACHE_HOME"], "huggingface", "hub")
        return _expanded(folder), "XDG_CACHE_HOME"
    return _expanded(os.path.join("~", ".cache", "huggingface", "hub")), ""


def _expanded(path: str) -> str:
    return os.path.expandvars(os.path.expanduser(path))


def barred(path: str) -> str:
    """Return why a folder that is not there can't be made; empty if it can."""
    place = path
    while not os.path.lexists(place) and os.path.dirname(place) != place:
        place = os.path.dirname(place)
    if not os.path.isdir(place):
        kind = "a link to nothing" if os.path.islink(place) else "a file"
        return f"{place} is {kind}, and no folder"
    found = room(place)
    if isinstance(found, Room) and not found.total:
        return f"{place} is of the system's own, and holds no files of others"
    if not os.access(place, os.W_OK | os.X_OK):
        return f"this user may not write to {place}"
    return ""


def measured(folder: str, patience: float = PATIENCE) -> tuple[Any, bool]:
    """Return the bytes below a folder, links not followed, and whether all were counted."""
    end = time.monotonic() + patience
    total = 0
    todo = [folder]
    while todo:
        try:
            with os.scandir(todo.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
        except OSError:  # a folder that went away, or that nobody may read
            continue
        if time.monotonic() > end:
            return total, not todo
    return total, True
