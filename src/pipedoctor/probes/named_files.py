"""Whether the files that the arguments name are there."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.named_files import NamedFiles
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes import hub_cache
from pipedoctor.probes.files import ARGUMENTS

READ = ("train", "eval", "model")
"""The entries of the part `files` that a run reads."""


@probe(NamedFiles, Cost.FILES, "files")
def named_files(pipeline: Pipeline, _split: Split) -> NamedFiles:
    """Look for each file that can only be a local one."""
    files = pipeline.part("files")
    if not isinstance(files, Mapping):
        raise Unavailable("the files are not given by name")
    paths = {
        ARGUMENTS[name]: files[name]
        for name in READ
        if isinstance(files.get(name), str) and _local(name, files[name])
    }
    there = {argument: os.path.exists(path) for argument, path in paths.items()}
    return NamedFiles(
        present={argument: path for argument, path in paths.items() if there[argument]},
        missing={argument: path for argument, path in paths.items() if not there[argument]},
        folder=os.getcwd(),
    )


def _local(name: str, path: str) -> bool:
    if not path or "\0" in path or "://" in path:
        return False
    return hub_cache.looks_like_path(path) if name == "model" else not set(path) & set("*?[")
