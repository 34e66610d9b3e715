"""The bytes of an archive's members, unpacked, and never more of them than a limit."""

from __future__ import annotations

import zlib

from pipedoctor.checkpoints.contents import FlawKind
from pipedoctor.checkpoints.pickles.limits import Budget, Unreadable
from pipedoctor.checkpoints.pickles.verdicts import shown
from pipedoctor.checkpoints.pickles.zips import DEFLATED, STORED, Archive, Member

_HEAD = 16


def head(archive: Archive, member: Member) -> bytes:
    """Return the first bytes of a member, unpacked."""
    if member.data is None:
        return b""
    if member.method == STORED:
        return archive.span.at(member.data, min(_HEAD, member.packed))
    if member.method != DEFLATED:
        return b""
    try:
        packed = archive.span.at(member.data, min(1024, member.packed))
        return zlib.decompressobj(-15).decompress(packed, _HEAD)
    except zlib.error:
        return b""


def content(archive: Archive, member: Member, most: int, budget: Budget) -> bytes:
    """Return the bytes of a member, unpacked, or raise `Unreadable`."""
    if member.data is None:
        raise Unreadable(FlawKind.BAD_RANGES, f"{shown(member.name)} can't be found")
    if member.packed > most or (member.size > most and member.method != STORED):
        message = f"{shown(member.name)} has {member.size:,} bytes, packed {member.packed:,}"
        raise Unreadable(FlawKind.LIMIT, f"{message}: at most {most:,} are read", member.header)
    budget.tick()
    budget.charge(member.packed if member.method == STORED else member.size)
    data = archive.span.at(member.data, member.packed)
    if member.method == STORED:
        return data
    if member.method != DEFLATED:
        message = f"{shown(member.name)} is packed by method {member.method}, which isn't read"
        raise Unreadable(FlawKind.BAD_HEADER, message, member.header)
    stream = zlib.decompressobj(-15)
    try:
        unpacked = stream.decompress(data, most)
    except zlib.error as error:
        message = f"{shown(member.name)} can't be unpacked: {error}"
        raise Unreadable(FlawKind.TRUNCATED, message, member.data) from None
    if stream.unconsumed_tail or len(unpacked) != member.size:
        message = f"{shown(member.name)} unpacks to {len(unpacked):,} bytes, not {member.size:,}"
        raise Unreadable(FlawKind.LIMIT, message, member.header)
    return unpacked
