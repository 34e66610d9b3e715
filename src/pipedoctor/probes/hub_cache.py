"""
Where the Hugging Face hub keeps its downloads, looked up by hand: the hub itself is not asked.

A cache has a folder `models--org--name` with `refs/main`, a file that names the commit, and
`snapshots/<commit>`, a folder of links to the files.
"""

from __future__ import annotations

import os
import re

from pipedoctor.fact import Unavailable
from pipedoctor.probes import files

_NAME = re.compile(r"[\w.-]{1,96}(/[\w.-]{1,96})?")
_REVISION = re.compile(r"[\w.-]+(/[\w.-]+)*")


def folder(name: str, revision: str = "main", cache: str | None = None) -> str:
    """
    Return the folder with the files of a model of the hub.

    Raises:
        Unavailable: It is no name of a model, or was not downloaded yet.

    """
    if not _NAME.fullmatch(name) or ".." in name:
        raise Unavailable(f"{name!r} is neither a folder nor the name of a model of the hub")
    if not _REVISION.fullmatch(revision) or ".." in revision:
        raise Unavailable(f"{revision!r} is no name of a revision")
    root = os.path.join(cache or root_folder(), "models--" + name.replace("/", "--"))
    for commit in (_commit(os.path.join(root, "refs", *revision.split("/"))), revision):
        snapshot = os.path.join(root, "snapshots", commit) if commit else ""
        if snapshot and os.path.isdir(snapshot):
            return snapshot
    raise Unavailable(f"{name} is no folder here, and not in the cache of the hub")


def root_folder() -> str:
    """Return the folder of the cache, as huggingface_hub finds it."""
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if os.environ.get(variable):
            return os.path.expanduser(os.environ[variable])
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join("~", ".cache")
    home = os.environ.get("HF_HOME") or os.path.join(base, "huggingface")
    return os.path.join(os.path.expanduser(home), "hub")


def _commit(path: str) -> str | None:
    """Return the commit that a file of `refs` names."""
    try:
        with files.opened(path, limit=100) as file:
            commit = file.read().decode("ascii").strip()
    except (Unavailable, OSError, ValueError):
        return None
    return commit if re.fullmatch(r"[\w-]+", commit) else None
