"""Keeps a script that trains on, only so that its next training is reached, from writing."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from typing import Any, NoReturn

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

CHANGES = {
    "os.link": (1, 3),
    "os.mkdir": (0, 2),
    "os.remove": (0, 1),
    "os.rename": (1, 3),
    "os.rmdir": (0, 1),
    "os.symlink": (1, 2),
    "os.truncate": (0, None),
    "shutil.move": (1, None),
    "shutil.rmtree": (0, None),
}
"""
The events of Python's audit that change the disk: which argument is the path, and which the open
folder that it is relative to, if it is to one.
"""

CACHES = ("HF_HOME", "HF_DATASETS_CACHE", "XDG_CACHE_HOME", "TORCH_HOME", "MPLCONFIGDIR")


def guard(stop: Callable[[str], NoReturn]) -> None:
    """
    From now on, call `stop` with the path of whatever is about to be written or deleted.

    Not guarded are temporary folders and caches, and processes that the script forks get an
    error. What writes past Python's own functions, as the writers of torch and safetensors do, is
    asked for by the event `pipedoctor.write`.
    """
    process = os.getpid()
    allowed = [os.path.realpath(folder) for folder in _free()]

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        path = _written(event, arguments)
        if path is None or _is_free(path, allowed):
            return
        if os.getpid() != process:
            raise PermissionError(f"pipedoctor examines this script: {path} is not written")
        stop(path)

    sys.addaudithook(audit)


def _free() -> list[str]:
    named = [os.environ[name] for name in CACHES if os.environ.get(name)]
    return [tempfile.gettempdir(), os.path.expanduser("~/.cache"), "/dev", "/proc", *named]


def _written(event: str, arguments: tuple[Any, ...]) -> str | None:
    """Return the path that this event is about to change, if it is one that does."""
    if event == "open":
        path, mode, flags = arguments
        changes = any(sign in mode for sign in "wax+") if mode else bool(flags & WRITING)
    elif event == "pipedoctor.write":
        path, changes = arguments[0], True
    elif event in CHANGES:
        at, folder = CHANGES[event]
        path = arguments[at]
        if folder is not None and len(arguments) > folder and arguments[folder] >= 0:
            return None  # deeper in a folder whose own removal was told before
        changes = event != "os.mkdir" or not os.path.isdir(path)
    else:
        return None
    if not changes or not isinstance(path, (str, bytes, os.PathLike)):
        return None  # it only reads, or writes to what is open already
    return os.path.realpath(os.fsdecode(path))


def _is_free(path: str, allowed: list[str]) -> bool:
    if "__pycache__" in path.split(os.sep):
        return True  # Python's own: what a script imports on its way is compiled
    return any(path == folder or path.startswith(folder + os.sep) for folder in allowed)
