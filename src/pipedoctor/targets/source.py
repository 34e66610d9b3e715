"""The text of a config file, fetched without ever blocking, executing or swallowing it whole."""

from __future__ import annotations

import errno
import os
import stat
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property

from pipedoctor.finding import Location
from pipedoctor.targets import TargetError

MIB = 1 << 20
MOST_BYTES = 16 * MIB
"""A config of arguments has a few kilobytes; what is larger than this is something else."""

LONGEST_LINE = 200
"""Of a longer line, a minified JSON for instance, a finding shows this many characters."""

CONFIG_SUFFIXES = (".json", ".yaml", ".yml", ".toml")

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_UTF32 = (b"\xff\xfe\0\0", b"\0\0\xfe\xff")
_UTF8 = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def shown(text: str) -> str:
    """Return a name as a message can hold it: on one line, without control characters."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


@dataclass(frozen=True, repr=False, eq=False)
class Source:
    """The decoded text of a file, with the line that each character is on."""

    file: str
    text: str
    had_mark: bool = False
    """Whether the file began with a byte-order mark, which is not in `text`."""

    @cached_property
    def _ends(self) -> list[int]:
        ends = []
        at = self.text.find("\n")
        while at >= 0:
            ends.append(at)
            at = self.text.find("\n", at + 1)
        return ends

    def line(self, offset: int) -> int:
        """Return the line, counted from 1, that holds the character at `offset`."""
        return bisect_left(self._ends, min(offset, len(self.text))) + 1

    def location(self, key: str, offset: int) -> Location:
        """Return the place of a key whose name begins at `offset`."""
        line = self.line(offset)
        begin = self._ends[line - 2] + 1 if line > 1 else 0
        end = self._ends[line - 1] if line <= len(self._ends) else len(self.text)
        if end - begin > LONGEST_LINE:
            begin = offset
        return Location(
            file=self.file,
            line=line,
            key=key,
            source=self.text[begin : min(end, begin + LONGEST_LINE)].strip(),
        )

    def error(self, offset: int, fault: str) -> TargetError:
        """Return the error that names the line of `offset`, what is wrong there and the cure."""
        return TargetError(f"{shown(self.file)}:{self.line(offset)}: {fault}")


def read_source(path: str | os.PathLike[str]) -> Source:
    """
    Return the text of a regular file.

    Raises:
        TargetError: There is none, or it is no text.

    """
    file = os.fspath(path)
    name = shown(file)
    data = read_bytes(file, name)
    if data.startswith(_UTF32):
        raise TargetError(f"{name} is encoded as UTF-32; save it as UTF-8")
    if data.startswith(_UTF16) or _alternates_with_zeros(data[:400]):
        raise TargetError(f"{name} is encoded as UTF-16; save it as UTF-8")
    if b"\0" in data:
        raise TargetError(
            f"{name} is a binary file (a zero byte at offset {data.index(0)}); "
            "name the JSON, YAML or TOML file that holds the arguments"
        )
    body = data.removeprefix(_UTF8)
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        at = error.start + len(data) - len(body)
        raise TargetError(
            f"{name}:{data.count(10, 0, at) + 1}: byte 0x{data[at]:02x} at offset {at} is not "
            "UTF-8; save the file as UTF-8"
        ) from None
    if not text.strip():
        raise TargetError(
            f"{name} is empty; name a config of training arguments or a training script"
        )
    # As Python's text files do, and so the scripts that read these: every line end is one \n.
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return Source(file, text, had_mark=len(body) < len(data))


def _alternates_with_zeros(data: bytes) -> bool:
    """Whether every other byte is zero, as in UTF-16 text of ASCII characters."""
    shares = [half.count(0) / len(half) for half in (data[::2], data[1::2]) if half]
    return len(shares) == 2 and max(shares) > 0.9 and min(shares) < 0.1


def read_bytes(file: str, name: str) -> bytes:
    """
    Return the bytes, but only of a regular file: a pipe would block, a device never end.

    Raises:
        TargetError: It can't be read, or holds more than a config or a script does.

    """
    try:
        _require_regular(os.stat(file), file, name)
        # Between the two looks it could become a pipe; without blocking, opening that is harmless.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        with open(os.open(file, flags), "rb") as handle:
            status = os.fstat(handle.fileno())
            _require_regular(status, file, name)
            # Files of /proc and their like say that they have no bytes; so the count decides.
            data = handle.read(MOST_BYTES + 1) or b""
    except ValueError:
        raise TargetError(f"{name} is no name that a file can have; check the path") from None
    except OSError as error:
        raise TargetError(_explain(error, file, name)) from None
    if len(data) > MOST_BYTES:
        megabytes = max(status.st_size, len(data)) / 1e6
        raise TargetError(
            f"{name} has {megabytes:,.1f} MB, too much for a config; "
            "name the JSON, YAML or TOML file that holds the arguments"
        )
    return data


def _require_regular(status: os.stat_result, file: str, name: str) -> None:
    if stat.S_ISREG(status.st_mode):
        return
    if stat.S_ISDIR(status.st_mode):
        candidates = [os.path.join(file, entry) for entry in _configs(file)[:3]]
        hint = f", such as {', '.join(map(shown, candidates))}" if candidates else ""
        raise TargetError(f"{name} is a folder; name the config file or the script in it{hint}")
    kind = _KINDS.get(stat.S_IFMT(status.st_mode), "no regular file")
    raise TargetError(f"{name} is {kind}; save the config to a file and name that")


def _explain(error: OSError, file: str, name: str) -> str:
    if error.errno == errno.ENOENT:
        if os.path.islink(file):
            return f"{name} is a link to {shown(os.readlink(file))}, which does not exist"
        folder, wanted = os.path.split(file)
        if folder and not os.path.isdir(folder):
            return f"{name} does not exist, nor does its folder {shown(folder)}; check the path"
        near = _nearest(wanted, _configs(folder or os.curdir))
        hint = f"; did you mean {shown(os.path.join(folder, near))}?" if near else ""
        return f"{name} does not exist{hint or '; check the path'}"
    if error.errno in {errno.EACCES, errno.EPERM}:
        return f"{name} may not be read by this user; give the right with: chmod u+r {name}"
    return f"{name} can't be read: {(error.strerror or str(error)).lower()}; check the path"


def _configs(folder: str) -> list[str]:
    """Return the names of files in a folder that look like configs, of the first thousand."""
    from itertools import islice

    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in islice(entries, 1000)]
    except OSError:
        return []
    return sorted(name for name in names if name.endswith(CONFIG_SUFFIXES))


def _nearest(wanted: str, names: list[str]) -> str | None:
    """Return the name that was probably meant; the suffixes, being alike, don't count."""
    from difflib import get_close_matches

    stems = {os.path.splitext(name)[0]: name for name in names}
    close = get_close_matches(os.path.splitext(wanted)[0], stems, n=1, cutoff=0.7)
    return stems[close[0]] if close else None
