"""How a file of anybody's is opened here: only if it is one, and without waiting for it."""

from __future__ import annotations

import os
import stat
from types import TracebackType

from pipedoctor.fact import Unavailable


class NotAFile(Exception):  # noqa: N818 - it is no error: a folder can be a checkpoint too
    """Something else than a regular file lies there; `what` names it."""

    def __init__(self, what: str) -> None:
        """Remember what it is."""
        super().__init__(what)
        self.what = what


KINDS = {
    stat.S_IFDIR: "folder",
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


class Source:
    """
    A part of a file, read by position; by default the whole file.

    Bytes behind its end read as if they weren't there, so a reader never needs more than the
    length of what it got.
    """

    def __init__(self, path: str, descriptor: int, start: int, size: int) -> None:
        """Take over an open file."""
        self.path = path
        self.size = size
        self._descriptor = descriptor
        self._start = start

    def read(self, offset: int, length: int) -> bytes:
        """Return up to so many bytes; fewer where the source ends."""
        length = min(length, self.size - offset)
        if length <= 0 or offset < 0:
            return b""
        try:
            return _pread(self._descriptor, length, self._start + offset)
        except OSError as error:
            raise Unavailable(f"{self.path} can't be read: {_reason(error)}") from None

    def part(self, offset: int, size: int) -> Source:
        """Return a part of it as a source of its own, which lives as long as this one."""
        size = max(0, min(size, self.size - offset))
        return Source(self.path, self._descriptor, self._start + offset, size)

    def __enter__(self) -> Source:  # noqa: PYI034 - Self needs Python 3.11
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        os.close(self._descriptor)


def opened(path: str) -> Source:
    """
    Open a regular file.

    Raises:
        NotAFile: It is a folder, a pipe, a device or a socket.
        Unavailable: It isn't there, or can't be opened.

    """
    try:
        # Opening some devices does something, so it is asked first and made sure of afterwards.
        _regular(os.stat(path))
        descriptor = os.open(
            path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        )
    except (OSError, ValueError) as error:
        raise Unavailable(f"{shown(path, 300)} can't be read: {_reason(error)}") from None
    try:
        status = os.fstat(descriptor)
        _regular(status)
    except BaseException:  # an interrupt leaves no file open either
        os.close(descriptor)
        raise
    return Source(path, descriptor, 0, status.st_size)


def shown(name: str, longest: int = 80) -> str:
    """Return a name for a message: without what a terminal would obey, and not too long."""
    text = name if name.isprintable() else repr(name)[1:-1]
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _regular(status: os.stat_result) -> None:
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        raise NotAFile(KINDS.get(kind, "special file"))


def _pread(descriptor: int, length: int, offset: int) -> bytes:
    """Return the bytes at an offset, fewer only where the file ends."""
    found = b""
    while len(found) < length:
        # Systems return at most 2 GiB at once; Windows has no pread.
        if hasattr(os, "pread"):
            more = os.pread(descriptor, length - len(found), offset + len(found))
        else:
            os.lseek(descriptor, offset + len(found), os.SEEK_SET)
            more = os.read(descriptor, length - len(found))
        if not more:
            break
        found = found + more if found else more
    return found


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
