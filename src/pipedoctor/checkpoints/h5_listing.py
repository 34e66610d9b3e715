"""
Lists an HDF5 file by h5py, as a program of its own: the library crashes on some damaged files.

It is run by its path, so it imports nothing of pipedoctor. The first line of its input says what
to read, the rest is the file itself where that lies packed in another; its output is a list in
JSON a line. No link out of the file is followed, and no element is read.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from io import BytesIO, RawIOBase
from typing import Any

MOST_OBJECTS = 100_000
"""Groups and datasets: the largest models of Keras have some thousand."""
LARGEST_TEXT = 64 * 2**20
TEXTS = ("keras_version", "backend", "model_config", "training_config")
SECONDS = 60
"""Of processor time; the most objects that are listed take about ten."""
MEMORY = 8 * 2**30
"""Of addresses: a file can ask for any amount."""


def main() -> None:
    """Do what the first line of the input says."""
    asked = json.loads(sys.stdin.buffer.readline())
    sys.path[:] = asked["sys_path"]
    _limit()
    import h5py

    _tell("h5py", h5py.__version__)
    path = asked["path"]
    if path is None:
        data = sys.stdin.buffer.read()
        _list(h5py, BytesIO(data))
    else:
        with open(path, "rb") as file:
            _list(h5py, Window(file, asked["start"], asked["size"]))
    _tell("end")


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    for kind, most in ((resource.RLIMIT_CPU, SECONDS), (resource.RLIMIT_AS, MEMORY)):
        hard = resource.getrlimit(kind)[1]
        soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (soft, hard))


def _tell(*values: object) -> None:
    # What was told stays told when the library crashes later on.
    sys.stdout.write(f"{json.dumps(values)}\n")
    if values[0] != "tensor":
        sys.stdout.flush()


def _list(h5py: Any, source: Any) -> None:
    try:
        with h5py.File(source, "r") as file:
            for name in TEXTS:
                _text(file, name)
            _walk(h5py, file)
    # What h5py can't read it says by errors of many kinds, RuntimeError and KeyError among them.
    except Exception as error:  # noqa: BLE001
        _tell("error", " ".join(str(error).split()) or type(error).__name__)


def _text(file: Any, name: str) -> None:
    """Tell an attribute of the root that is a text, or one as bytes."""
    if name not in file.attrs:
        return
    value = file.attrs[name]
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
    _tell("text", name, text[:LARGEST_TEXT])


def _walk(h5py: Any, file: Any) -> None:
    """Tell what is in all groups; each is entered once, however many names it has."""
    waiting, entered, seen = [("", file)], {_address(h5py, file)}, 0
    while waiting:
        prefix, group = waiting.pop()
        for name in _names(group):
            seen += 1
            if seen > MOST_OBJECTS:
                _tell("most", MOST_OBJECTS)
                return
            full = f"{prefix}{name}"
            link = group.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                _tell("leaves", full, "is a link to", str(link.filename))
            elif isinstance(link, h5py.HardLink):
                held = group[name]
                if isinstance(held, h5py.Dataset):
                    _dataset(full, held)
                elif isinstance(held, h5py.Group) and _address(h5py, held) not in entered:
                    entered.add(_address(h5py, held))
                    waiting.append((f"{full}/", held))


def _dataset(name: str, held: Any) -> None:
    """Tell a dataset, and where its elements are."""
    dtype, offset = held.dtype, held.id.get_offset()
    if held.external:
        offset = None
        _tell("leaves", name, "has its elements in", str(held.external[0][0]))
    elif held.is_virtual:
        files = {source.file_name for source in held.virtual_sources()} - {"."}
        if files:
            _tell("leaves", name, "is put together from", min(files))
    kind = "" if dtype.names is not None else dtype.kind
    if dtype.byteorder == ">":
        offset = None  # what reads elements takes them in the other order
    shape = [int(size) for size in held.shape or ()]
    _tell("tensor", name, shape, [kind, dtype.itemsize, str(dtype)[:40]], offset)


def _names(group: Any) -> Iterator[str]:
    for name in group:
        yield name if isinstance(name, str) else name.decode("utf-8", "backslashreplace")


def _address(h5py: Any, held: Any) -> int:
    return int(h5py.h5o.get_info(held.id).addr)


class Window(RawIOBase):
    """A stretch of a file as a file of its own, which h5py can read but not write."""

    def __init__(self, file: Any, start: int, size: int) -> None:
        """Take the stretch."""
        self._file = file
        self._start = start
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that it can be read at any place."""
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place."""
        self._at = max(0, (0, self._at, self._size)[whence] + offset)
        return self._at

    def tell(self) -> int:
        """Return the place."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as the stretch goes."""
        view = memoryview(buffer).cast("B")
        self._file.seek(self._start + self._at)
        data = self._file.read(min(len(view), max(0, self._size - self._at)))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


if __name__ == "__main__":
    main()
