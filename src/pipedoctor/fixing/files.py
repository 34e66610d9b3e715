"""The one place that writes to a file of the user's: whole or not at all, and only if unchanged."""

from __future__ import annotations

import contextlib
import os
import stat

from pipedoctor.fixing import Refused
from pipedoctor.targets.source import read_bytes, shown


def read(path: str) -> bytes:
    """Return the bytes of a config or a script."""
    return read_bytes(path, shown(path))


def replace(path: str, before: bytes, after: bytes) -> None:
    """
    Put other bytes in the place of those that a file holds.

    They are written beside it and moved there, so that whoever reads meanwhile sees the one or
    the other. A link stays a link: what it points at is replaced.

    Raises:
        Refused: The file is read-only, was changed since it was read, or can't be replaced.

    """
    target = os.path.realpath(path)
    try:
        status = os.stat(target)
        _require_writable(path, target, status)
        draft = f"{target}.{os.getpid()}.tmp"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        handle = os.open(draft, flags, 0o600)
    except OSError as error:
        raise Refused(f"{shown(path)} can't be written: {error.strerror}") from None
    try:
        with open(handle, "wb") as file:
            file.write(after)
            file.flush()
            _like(file.fileno(), status)
            os.fsync(file.fileno())
        _require_unchanged(path, target, before)
        os.replace(draft, target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        if isinstance(error, OSError):
            raise Refused(f"{shown(path)} can't be written: {error.strerror}") from None
        raise


def _require_writable(path: str, target: str, status: os.stat_result) -> None:
    if not status.st_mode & 0o222 or not os.access(target, os.W_OK):
        raise Refused(f"{shown(path)} is read-only; allow it with: chmod u+w {shown(path)}")
    if status.st_nlink > 1:
        raise Refused(
            f"{shown(path)} has {status.st_nlink} names (hard links), of which only one would be "
            "changed; make a copy of it"
        )


def _require_unchanged(path: str, target: str, before: bytes) -> None:
    if read(target) != before:
        raise Refused(f"{shown(path)} was changed meanwhile; run it again")


def _like(handle: int, status: os.stat_result) -> None:
    """Give a file the owner, as far as that is allowed, and the mode of another."""
    with contextlib.suppress(OSError):
        os.fchown(handle, status.st_uid, status.st_gid)
    os.fchmod(handle, stat.S_IMODE(status.st_mode))
