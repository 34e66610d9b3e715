"""The room where a run writes."""

from __future__ import annotations

import os
import sys
from typing import Any

from pipedoctor.fact import Cost, Split, Unavailable, unknown
from pipedoctor.facts.disk import Disk
from pipedoctor.facts.settings import Settings
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes import files
from pipedoctor.probes.environment import stated_environment

DEFAULT = "trainer_output"
"""Where Trainer writes if no `output_dir` is stated, in the releases that do without."""


@probe(Disk, Cost.FILES)
def disk(pipeline: Pipeline, _split: Split) -> Disk:
    """Measure the file system of `output_dir`, unless the environment states its room."""
    path = output_dir(pipeline)
    stated = stated_environment(pipeline)
    if "disk_free" in stated:
        free, total = stated["disk_free"], stated.get("disk_total")
        if isinstance(free, bool) or not isinstance(free, int):
            raise Unavailable(f"disk_free of the environment is {free!r}, which is no size")
        return Disk(path, free, _total(total))
    free, total = measure(existing(os.path.expanduser(path)))
    return Disk(path, free, total)


def output_dir(pipeline: Pipeline) -> str:
    """Return the folder that the run writes to, as it was stated."""
    if "files" in pipeline.parts:
        try:
            return files.path(pipeline, "output_dir")
        except Unavailable:
            pass  # the part `files` may be there for other files only
    stated = pipeline.fact(Settings).output_dir
    if stated is None:
        return DEFAULT
    if not isinstance(stated, (str, os.PathLike)):
        raise Unavailable(f"output_dir is {stated!r}, which is no path")
    return os.fspath(stated)


def existing(path: str) -> str:
    """Return the folder, or the nearest one above it that exists."""
    path = os.path.abspath(path)
    while not os.path.isdir(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    return path


def measure(folder: str) -> tuple[int, int]:
    """Return the bytes free to this user, and all bytes, of the file system of a folder."""
    try:
        if sys.platform == "win32":
            import shutil

            usage = shutil.disk_usage(folder)
            return usage.free, usage.total
        system = os.statvfs(folder)
    except OSError as error:
        raise Unavailable(f"the room of {folder} can't be measured: {error.strerror}") from None
    return system.f_bavail * system.f_frsize, system.f_blocks * system.f_frsize


def _total(stated: object) -> Any:
    known = isinstance(stated, int) and not isinstance(stated, bool)
    return stated if known else unknown("the environment states no disk_total")
