"""Files that are there but can't be read: errors that say which file it is."""

from __future__ import annotations

import os
from collections.abc import Iterable

_LFS = b"version https://git-lfs"


class BrokenFile(Exception):  # noqa: N818 - the word for what it is
    """A file of the user's can't be read; the text names it, and says what the reader said."""


def describe(path: str, error: BaseException) -> BrokenFile:
    """Return the error that names a file and what is wrong with it."""
    return BrokenFile(f"{path}: {known_fault(path) or cause(error)}")


def known_fault(path: str) -> str | None:
    """Return what is wrong with a file that a reader may even take for data."""
    try:
        size = os.path.getsize(path)
        with open(path, "rb") as file:
            start = file.read(len(_LFS))
    except OSError:
        return None
    if size == 0:
        return "the file is empty"
    if start == _LFS:
        return (
            f"this is a Git LFS pointer of {size} bytes, not the file itself; run `git lfs pull`"
        )
    return None


def cause(error: BaseException) -> str:
    """Return on one line what the innermost error said, which is the one that knows."""
    while error.__cause__ is not None:
        error = error.__cause__
    text = " ".join(str(error).split())[:300]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def weights(folder: str) -> Iterable[str]:
    """Return the weights files of a model's folder."""
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [
        os.path.join(folder, name)
        for name in names
        if name.endswith((".safetensors", ".bin", ".json")) and "training_args" not in name
    ]


def unreadable(folder: str) -> tuple[str, Exception] | None:
    """Return the first file of a model's folder that can't be read, and what its reader says."""
    import json

    from safetensors import safe_open

    for path in weights(folder):
        try:
            if path.endswith(".safetensors"):
                with safe_open(path, framework="np"):
                    pass
            elif path.endswith(".json"):
                with open(path, encoding="utf-8") as file:
                    json.load(file)
            elif known_fault(path):
                return path, OSError("not a weights file")
        except Exception as error:  # noqa: BLE001 - each reader has errors of its own
            return path, error
    return None
