"""The part `files`, and how a file of the user's is opened: only what is one, and only so far."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from typing import Any, BinaryIO

from pipedoctor.fact import Unavailable
from pipedoctor.pipeline import Pipeline

ARGUMENTS = {
    "output_dir": "output_dir",
    "model": "model_name_or_path",
    "train": "train_file",
    "eval": "validation_file",
}
"""The entries of the part `files`, and the arguments that state them."""


def given(pipeline: Pipeline, name: str) -> Any:
    """Return an entry of the part `files`, or raise `Unavailable`."""
    files = pipeline.part("files")
    entry = files.get(name) if isinstance(files, Mapping) else None
    if entry is None:
        word = {"saved": "checkpoint"}.get(name, name)
        raise Unavailable(f"no {word} was given among the files")
    return entry


def path(pipeline: Pipeline, name: str) -> str:
    """Return an entry of the part `files` that is one path."""
    entry = given(pipeline, name)
    if isinstance(entry, os.PathLike):
        entry = os.fspath(entry)
    if not isinstance(entry, str) or "\0" in entry:
        raise Unavailable(f"the {name} file is given as {entry!r}, which is no path")
    return entry


def size(file: str, name: str | None = None) -> int:
    """
    Return the size of a regular file.

    Raises:
        Unavailable: It is not there, or is something else: a pipe would keep a reader waiting.

    """
    try:
        status = os.stat(file)
    except (OSError, ValueError) as error:
        raise Unavailable(f"{name or file} can't be read: {_reason(error)}") from None
    if not stat.S_ISREG(status.st_mode):
        raise Unavailable(f"{name or file} is not a regular file")
    return status.st_size


def opened(file: str, limit: int | None = None) -> BinaryIO:
    """
    Open a regular file.

    Raises:
        Unavailable: It can't be opened, or is larger than `limit`.

    """
    length = size(file)
    if limit is not None and length > limit:
        raise Unavailable(f"{file} has {length:,} bytes, too many to read here")
    try:
        return open(file, "rb")
    except OSError as error:
        raise Unavailable(f"{file} can't be read: {_reason(error)}") from None


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
