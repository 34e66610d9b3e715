"""Whether what a training is asked to resume from is there."""

from __future__ import annotations

import os
import re

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.settings import Settings
from pipedoctor.facts.wish import Wish
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes import resume, run_folder
from pipedoctor.probes.disk import output_dir

WORDS = frozenset({"", "auto", "last", "latest", "none", "null", "true", "false"})
"""What scripts of their own take for something else than a path."""

_LIKE = re.compile(r"(tmp-)?checkpoint-\d+")


@probe(Wish, Cost.FILES)
def wish(pipeline: Pipeline, _split: Split) -> Wish:
    """Look for the folder as Trainer does; nothing in it is read."""
    asked, where = resume.asked(pipeline)
    if asked is None or asked is False:
        raise Unavailable("the training does not resume from a checkpoint")
    described = run_folder.entries(pipeline)
    if described:
        named = asked is True or os.path.basename(os.fspath(asked)) in described
        return Wish(str(asked), named, "which is not there", where=where)
    if asked is True:
        settings = pipeline.optional(Settings)
        if settings is not None and settings.reading is not None:
            raise Unavailable(f"what {settings.reading.tool} makes of it is not known")
        folder = os.path.expanduser(output_dir(pipeline))
        newest = resume.newest(folder)
        lacks = (
            "which holds no folder checkpoint-N" if os.path.isdir(folder) else "which is not there"
        )
        told = f"the newest checkpoint of {folder}"
        return Wish(told, newest is not None, lacks, leftovers=_leftovers(folder), where=where)
    path = os.path.expanduser(os.fspath(asked))
    if path.lower() in WORDS or "$" in path or "{" in path:
        raise Unavailable(f"{path!r} is no path for Trainer")
    files = pipeline.parts.get("files")
    if hasattr(files, "get") and files.get("checkpoint") is not None:
        raise Unavailable("the checkpoint is described")
    if not os.path.isdir(path):
        inside = os.path.dirname(path.rstrip("/")) or os.curdir
        lacks = "which is no folder" if os.path.lexists(path) else "which is not there"
        return Wish(path, False, lacks, newest=resume.newest(inside) or "", where=where)
    newest = resume.newest(path)
    if newest is not None and not os.path.lexists(os.path.join(path, "trainer_state.json")):
        return Wish(path, False, "which is the folder of a run", newest=newest, where=where)
    return Wish(path, True, where=where)


def _leftovers(folder: str) -> tuple[str, ...]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return ()
    return tuple(name for name in names if _LIKE.fullmatch(name))
