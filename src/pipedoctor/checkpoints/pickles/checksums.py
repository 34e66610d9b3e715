"""The checksums of an archive's members against their bytes."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from pipedoctor.checkpoints.contents import Flaw, FlawKind
from pipedoctor.checkpoints.pickles import zips
from pipedoctor.checkpoints.pickles.limits import Budget, Unreadable
from pipedoctor.checkpoints.pickles.spans import Span
from pipedoctor.checkpoints.pickles.verdicts import shown

_CHUNK = 2**20


def differing(span: Span) -> Iterator[Flaw]:
    """Yield a flaw for each member whose bytes are no longer those that were written."""
    try:
        archive = zips.read(span, Budget())
    except Unreadable as problem:
        yield Flaw(problem.kind, problem.message, offset=problem.offset)
        return
    for member in archive.members if archive else ():
        if (
            member.data is None
            or member.checksum is None
            or member.method not in {zips.STORED, zips.DEFLATED}
        ):
            continue
        try:
            checksum = _checksum(span, member)
        except zlib.error as error:
            message = f"{shown(member.name)} can't be unpacked: {error}"
            yield Flaw(FlawKind.CHECKSUM, message, offset=member.data)
            continue
        if checksum != member.checksum:
            message = (
                f"the checksum of {shown(member.name)} is {checksum:08x} where"
                f" {member.checksum:08x} was written: its {member.size:,} bytes have changed"
            )
            yield Flaw(FlawKind.CHECKSUM, message, offset=member.data)


def _checksum(span: Span, member: zips.Member) -> int:
    assert member.data is not None
    unpack = zlib.decompressobj(-15) if member.method == zips.DEFLATED else None
    checksum, unpacked = 0, 0
    for begin in range(0, member.packed, _CHUNK):
        piece = span.at(member.data + begin, min(_CHUNK, member.packed - begin))
        if unpack is None:
            checksum = zlib.crc32(piece, checksum)
            continue
        while piece and unpacked <= member.size:  # no more than it claims: it may be a bomb
            part = unpack.decompress(piece, _CHUNK)
            checksum = zlib.crc32(part, checksum)
            unpacked += len(part)
            piece = unpack.unconsumed_tail
    return checksum
