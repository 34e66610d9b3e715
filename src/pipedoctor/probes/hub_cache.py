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

MARKS = ("config.json", "tokenizer_config.json", "tokenizer.json")
"""Files of which a usable snapshot has at least one."""


def locate(name: str, revision: str | None = None, cache: str | None = None) -> str:
    """
    Return the folder that `from_pretrained` would read: a local one, else the hub's.

    As there, `~` is no home folder in the name, while in that of the cache it is.

    Raises:
        Unavailable: It is neither a local folder nor in the local hub cache.

    """
    if os.path.isdir(name):
        return name
    if os.path.exists(name):
        raise Unavailable(f"{name} is a file; a model is a folder with a config.json")
    if looks_like_path(name):
        raise Unavailable(
            f"the folder {name} does not exist; give the path of a folder that holds a model"
        )
    found = folder(name, revision or "main", os.path.expanduser(cache) if cache else None)
    if not any(os.path.isfile(os.path.join(found, mark)) for mark in MARKS):
        raise Unavailable(
            f"the local hub cache has only a part of {name}; complete it with `hf download {name}`"
        )
    return found


def looks_like_path(name: str) -> bool:
    """Whether a model's name can only be a path: on the hub it is `model` or `owner/model`."""
    return name.startswith((".", "/", "~", os.sep)) or name.count("/") > 1 or "\\" in name


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
    if os.path.isdir(root):
        raise Unavailable(
            f"revision {revision} of {name} is not in the cache of the hub; "
            f"download it with `hf download {name} --revision {revision}`"
        )
    raise Unavailable(
        f"{name} is not a local folder and not in the local hub cache; "
        f"download it with `hf download {name}`, or give a local path"
    )


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
