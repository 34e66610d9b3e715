"""
The structure of a ZIP archive, and where its two tellings of it differ.

An archive says everything twice: in the directory at its end, and in a header before each member.
Loaders believe the one or the other, so every difference is a flaw: what one of them reads can be
something else than what was looked at. Python's zipfile would not show both.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from struct import unpack_from

from pipedoctor.checkpoints.contents import Flaw, FlawKind
from pipedoctor.checkpoints.pickles.limits import MEMBERS, Budget
from pipedoctor.checkpoints.pickles.spans import Span
from pipedoctor.checkpoints.pickles.verdicts import shown

_LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_END64, _LOCATOR64 = b"PK\x06\x06", b"PK\x06\x07"
_HIDING = 0x1 | 0x20 | 0x40 | 0x2000  # encrypted, patched, strongly encrypted, masked
_FOLLOWED = 0x8  # the sizes stand behind the member
_DESCRIPTOR = {12, 16, 20, 24}  # bytes of those sizes, narrow or wide, with a mark or without
_DIRECTORY = 64 * 2**20  # bytes of a directory of a hundred thousand members, with room to spare
STORED, DEFLATED = 0, 8


@dataclass(frozen=True, slots=True)
class Member:
    """
    One entry of the directory; `data` is where its bytes begin, None where they can't be.

    A tar has no checksums.
    """

    name: str
    method: int
    flags: int
    checksum: int | None
    packed: int
    size: int
    header: int
    data: int | None = None

    @property
    def end(self) -> int:
        """The byte after its last."""
        return (self.header if self.data is None else self.data) + self.packed


@dataclass
class Archive:
    """The members of an archive, in the order of its directory, and what is wrong with it."""

    span: Span
    members: list[Member] = field(default_factory=list)
    flaws: list[Flaw] = field(default_factory=list)
    prefix: int = 0
    """Bytes before the archive begins."""

    def flaw(self, kind: FlawKind, message: str, offset: int | None = None) -> None:
        """Remember a flaw; of many, the first hundred."""
        if len(self.flaws) < 100:
            self.flaws.append(Flaw(kind, message, offset=offset))


@dataclass(frozen=True)
class _End:
    at: int
    count: int
    size: int
    offset: int
    first: int  # where the record, or the larger one before it, begins


def read(span: Span, budget: Budget) -> Archive | None:
    """Return the archive that ends where `span` ends, or None where there is no directory."""
    archive = Archive(span)
    end = _end(archive)
    if end is None:
        return None
    start = end.first - end.size
    archive.prefix = start - end.offset
    if start < 0 or archive.prefix < 0:
        message = f"its directory of {end.size:,} bytes at {end.offset:,} isn't where it says"
        archive.flaw(FlawKind.BAD_HEADER, message, end.at)
        return archive
    if archive.prefix:
        message = f"{archive.prefix:,} bytes stand before the archive"
        archive.flaw(FlawKind.BAD_HEADER, message, 0)
    if end.size > _DIRECTORY or end.count > MEMBERS:
        message = f"its directory has {end.count:,} members in {end.size:,} bytes"
        archive.flaw(FlawKind.LIMIT, message, start)
        return archive
    _directory(archive, span.at(start, end.size), start, end, budget)
    _regions(archive, start)
    find_duplicates(archive)
    return archive


def _end(archive: Archive) -> _End | None:
    span = archive.span
    tail = span.at(max(span.size - 65557, 0), 65557)
    base = span.size - len(tail)
    place = tail.rfind(_END, 0, max(len(tail) - 18, 0))
    if place < 0:
        return None
    count, size, offset, comment = unpack_from("<HIIH", tail, place + 10)
    at = base + place
    after = span.size - (at + 22 + comment)
    if after > 0:
        archive.flaw(FlawKind.TRAILING, f"{after:,} bytes follow the archive", at + 22 + comment)
    elif after < 0:
        archive.flaw(FlawKind.TRUNCATED, f"its comment ends {-after:,} bytes too early", at)
    end = _End(at, count, size, offset, at)
    locator = span.at(at - 20, 20) if at >= 20 else b""
    if locator.startswith(_LOCATOR64):
        end = _end64(archive, unpack_from("<Q", locator, 8)[0], end) or end
    elif _is_full(end):
        archive.flaw(FlawKind.BAD_HEADER, "its directory's place is left open", at)
    lowest = max(end.first - base, 0)
    if tail.find(_END, lowest) < place:
        archive.flaw(FlawKind.DUPLICATE, "it has several ends: loaders take one or the other", at)
    return end


def _is_full(end: _End) -> bool:
    return end.count == 0xFFFF or 0xFFFFFFFF in {end.size, end.offset}


def _end64(archive: Archive, told: int, end: _End) -> _End | None:
    record = archive.span.at(told, 56)
    at = told
    if not record.startswith(_END64):  # bytes before the archive move it
        at = end.at - 20 - 56
        record = archive.span.at(at, 56)
    if len(record) < 56 or not record.startswith(_END64) or at > end.at - 76:
        archive.flaw(FlawKind.BAD_HEADER, "the larger form of its end is missing", end.at)
        return None
    count, size, offset = unpack_from("<QQQ", record, 32)
    for small, large, full in (
        (end.count, count, 0xFFFF),
        (end.size, size, 0xFFFFFFFF),
        (end.offset, offset, 0xFFFFFFFF),
    ):
        if small not in {large, full}:
            message = f"the two forms of its end differ: {small:,} and {large:,}"
            archive.flaw(FlawKind.BAD_HEADER, message, end.at)
    return _End(end.at, count, size, offset, at)


def _directory(archive: Archive, data: bytes, start: int, end: _End, budget: Budget) -> None:
    place = 0
    while place + 46 <= len(data) and data.startswith(_CENTRAL, place):
        if len(archive.members) % 1024 == 0:
            budget.tick()
        budget.charge(300)
        flags, method = unpack_from("<HH", data, place + 8)
        checksum, packed, size, n, extra, comment = unpack_from("<IIIHHH", data, place + 16)
        header = unpack_from("<I", data, place + 42)[0]
        name = data[place + 46 : place + 46 + n]
        more = data[place + 46 + n : place + 46 + n + extra]
        size, packed, header = _wide(more, size, packed, header)
        place += 46 + n + extra + comment
        member = Member(_text(name), method, flags, checksum, packed, size, header)
        archive.members.append(_checked(archive, member, name, start))
        if len(archive.members) > MEMBERS:
            archive.flaw(FlawKind.LIMIT, f"it has more than {MEMBERS:,} members", start + place)
            return
    if place != len(data) or len(archive.members) != end.count:
        message = (
            f"its directory lists {len(archive.members):,} members in {place:,} of {len(data):,}"
            f" bytes, and says {end.count:,}"
        )
        archive.flaw(FlawKind.BAD_HEADER, message, start + place)


def _wide(extra: bytes, size: int, packed: int, header: int) -> tuple[int, int, int]:
    """Return the numbers that don't fit into four bytes, from the field that holds them."""
    place = 0
    while place + 4 <= len(extra):
        kind, length = unpack_from("<HH", extra, place)
        if kind == 1:
            rest = extra[place + 4 : place + 4 + length]
            numbers = [unpack_from("<Q", rest, i)[0] for i in range(0, len(rest) - 7, 8)]
            told = [size, packed, header]
            for index, value in enumerate(told):
                if value == 0xFFFFFFFF and numbers:
                    told[index] = numbers.pop(0)
            return (told[0], told[1], told[2])
        place += 4 + length
    return (size, packed, header)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")


def _checked(archive: Archive, member: Member, name: bytes, limit: int) -> Member:
    """Return the member with the place of its bytes, its own header compared."""
    at = member.header + archive.prefix
    header = archive.span.at(at, 30 + len(name))  # one reading, where the two names are one
    if len(header) < 30 or not header.startswith(_LOCAL):
        archive.flaw(FlawKind.BAD_HEADER, f"{shown(member.name)} has no header at {at:,}", at)
        return member
    flags, method = unpack_from("<HH", header, 6)
    packed, size, n, extra = unpack_from("<IIHH", header, 18)
    if n != len(name) or header[30:] != name:
        own = shown(_text(archive.span.at(at + 30, n)))
        message = f"{shown(member.name)} calls itself {own} in its own header"
        archive.flaw(FlawKind.DUPLICATE, message, at)
    if not flags & _FOLLOWED and (size, packed) != (member.size, member.packed):
        size, packed, _ = _wide(archive.span.at(at + 30 + n, extra), size, packed, 0)
    followed = flags & _FOLLOWED or (size, packed) == (member.size, member.packed)
    if method != member.method or (flags ^ member.flags) & _HIDING or not followed:
        message = f"the two headers of {shown(member.name)} differ"
        archive.flaw(FlawKind.BAD_HEADER, message, at)
    if (flags | member.flags) & _HIDING:
        message = f"{shown(member.name)} is marked as encrypted"
        archive.flaw(FlawKind.BAD_HEADER, message, at)
    if member.method == STORED and member.size != member.packed:
        message = (
            f"{shown(member.name)} is not packed, and yet has {member.packed:,} bytes"
            f" for {member.size:,}"
        )
        archive.flaw(FlawKind.BAD_HEADER, message, at)
    if b"\0" in name or b"\\" in name or _leaves(name):
        archive.flaw(FlawKind.OUTSIDE, f"{shown(member.name)} is no name of a member", at)
    data = at + 30 + n + extra
    if data + member.packed > limit:
        message = (
            f"{shown(member.name)} takes {member.packed:,} bytes from {data:,},"
            f" and they end at {limit:,}"
        )
        archive.flaw(FlawKind.BAD_RANGES, message, data)
        return member
    return Member(
        member.name,
        member.method,
        member.flags,
        member.checksum,
        member.packed,
        member.size,
        at,
        data,
    )


def _leaves(name: bytes) -> bool:
    return name.startswith(b"/") or b".." in name.split(b"/")


def _regions(archive: Archive, directory: int) -> None:
    """Find members that overlap, and bytes between them that no member holds."""
    placed = sorted((m for m in archive.members if m.data is not None), key=lambda m: m.header)
    reached, followed = archive.prefix, False
    for member in placed:
        if member.header < reached:
            message = f"{shown(member.name)} begins inside the member before it"
            archive.flaw(FlawKind.BAD_RANGES, message, member.header)
        _gap(archive, reached, member.header, followed=followed)
        reached = max(reached, member.end)
        followed = bool(member.flags & _FOLLOWED)
    _gap(archive, reached, directory, followed=followed)


def _gap(archive: Archive, begin: int, end: int, *, followed: bool) -> None:
    """Find bytes that belong to nothing; `followed` tells that sizes stand behind the member."""
    size = end - begin
    if size <= 0 or (followed and size in _DESCRIPTOR):
        return
    hidden = archive.span.at(begin, 4) == _LOCAL
    message = f"{size:,} bytes from {begin:,} belong to no member"
    if hidden:
        message += ", and begin like one"
    archive.flaw(FlawKind.DUPLICATE if hidden else FlawKind.TRAILING, message, begin)


def find_duplicates(archive: Archive) -> None:
    """Find names that stand twice; loaders that ignore the case of letters are common."""
    counts = Counter(m.name.casefold() for m in archive.members)
    for name, count in counts.items():
        if count > 1:
            message = f"{shown(name)} stands in it {count} times: loaders take one or the other"
            archive.flaw(FlawKind.DUPLICATE, message)
