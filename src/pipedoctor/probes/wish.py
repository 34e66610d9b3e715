"""Whether what a training is asked to resume from is there; nothing of it is opened."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.settings import Settings
from pipedoctor.facts.wish import Wish
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes import resume
from pipedoctor.probes.disk import output_dir

WORDS = frozenset({"", "auto", "last", "latest", "none", "null", "true", "false"})
"""What scripts of their own take for something else than a path."""

_LIKE = re.compile(r"(tmp-)?checkpoint-\d+")


@probe(Wish, Cost.FILES)
def wish(pipeline: Pipeline, _split: Split) -> Wish:
    """Look for the folder as Trainer does."""
    asked, where = resume.asked(pipeline)
    files = pipeline.parts.get("files")
    if isinstance(files, Mapping) and ("run" in files or "left" in files):
        run = resume.described(pipeline)
        named = asked is True or not asked or os.path.basename(os.fspath(asked)) in run
        newest = max(run, key=resume.number, default="")
        left = tuple(files.get("left", ()))
        return Wish(str(asked or ""), named, "which is not there", newest, left, "output_dir")
    if isinstance(files, Mapping) and files.get("checkpoint") is not None:
        raise Unavailable("the checkpoint is described")
    if asked is not None and not isinstance(asked, bool):
        return replace(_path(os.path.expanduser(os.fspath(asked)), pipeline), where=where)
    settings = pipeline.optional(Settings)
    if settings is not None and settings.reading is not None:
        raise Unavailable(f"what {settings.reading.tool} resumes from by itself is not known")
    if not asked and "script" in pipeline.parts and "call" not in pipeline.parts:
        raise Unavailable("whether the script resumes is known when it runs")
    near = _near(os.path.expanduser(output_dir(pipeline)))
    if not asked:
        return near
    lacks = "which is not there"
    if os.path.isdir(near.folder):
        lacks = "which holds no folder checkpoint-N"
    told = f"the newest checkpoint of {near.folder}"
    return replace(near, asked=told, found=bool(near.newest), lacks=lacks, where=where)


def _path(path: str, pipeline: Pipeline) -> Wish:
    """Return whether a path is that of a checkpoint."""
    if path.lower() in WORDS or "$" in path or "{" in path:
        raise Unavailable(f"{path!r} is no path for Trainer")
    if not os.path.isdir(path):
        lacks = "which is no folder" if os.path.lexists(path) else "which is not there"
        around = os.path.dirname(path.rstrip("/")) or os.curdir
        return replace(_near(around), asked=path, found=False, lacks=lacks)
    newest = resume.newest(path)
    if newest is not None and not os.path.lexists(os.path.join(path, resume.STATE)):
        return Wish(path, False, "which is the folder of a run", newest)
    return replace(_near(os.path.expanduser(output_dir(pipeline))), asked=path)


def _near(folder: str) -> Wish:
    """Return what lies in a folder, where nothing is asked of it."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        names = []
    newest = resume.newest(folder) or ""
    left = (n for n in names if _LIKE.fullmatch(n))
    return Wish(
        "",
        True,
        newest=newest,
        leftovers=tuple(n for n in left if "tmp" in n or not os.path.isdir(f"{folder}/{n}")),
        folder=folder,
    )
