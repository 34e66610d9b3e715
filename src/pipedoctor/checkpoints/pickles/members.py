"""What a member of an archive is, told by how it begins; and the verdict on each that can run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO

from pipedoctor.checkpoints.contents import Contents, Flaw, FlawKind, Verdict
from pipedoctor.checkpoints.pickles import unpacking, zips
from pipedoctor.checkpoints.pickles.limits import NESTED, UNPACKED, Budget, Unreadable
from pipedoctor.checkpoints.pickles.reader import Machine
from pipedoctor.checkpoints.pickles.spans import Span
from pipedoctor.checkpoints.pickles.verdicts import Judgement, shown
from pipedoctor.checkpoints.pickles.walking import Walk, walk

_PICKLES = (".pkl", ".pickle", ".p", ".joblib", ".dill")
_PACKED = (
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ",
    b"7z\xbc\xaf",
    b"\x28\xb5\x2f\xfd",
    b"\x04\x22\x4d\x18",
)
_PROGRAMS = {
    b"\x7fELF": "an ELF library",
    b"MZ": "a Windows program",
    b"\xcf\xfa\xed\xfe": "a macOS library",
}


@dataclass
class Finding:
    """What was found in one member: the verdict, and the walk where it is a pickle."""

    member: zips.Member
    judgement: Judgement
    flaws: list[Flaw]
    walk: Walk | None = None
    nested: Contents | None = None


def examined(
    archive: zips.Archive,
    member: zips.Member,
    budget: Budget,
    depth: int,
    prepare: Callable[[Machine], None] | None = None,
) -> Finding | None:
    """Return what loading a member would run, or None where it is no more than data."""
    begin = unpacking.head(archive, member)
    try:
        if begin.startswith(b"PK\x03\x04"):
            return _nested(archive, member, budget, depth)
        if begin.startswith(b"\x93NUMPY"):
            return _array(archive, member, budget)
        for magic, what in _PROGRAMS.items():
            if begin.startswith(magic):
                return _program(member, what)
        if begin.startswith(_PACKED):
            reason = f"{shown(member.name)} is packed once more, and isn't read"
            return Finding(member, Judgement(Verdict.UNSUPPORTED, reason), [])
        return _pickle(archive, member, budget, begin, prepare)
    except Unreadable as problem:
        message = problem.message
        flaw = Flaw(problem.kind, message, offset=problem.offset)
        return Finding(member, Judgement(Verdict.MALFORMED, message), [flaw])


def _program(member: zips.Member, what: str) -> Finding:
    message = f"{shown(member.name)} is {what} of {member.size:,} bytes"
    flaw = Flaw(FlawKind.CODE, message, offset=member.data)
    return Finding(member, Judgement(Verdict.UNSAFE, message, offset=member.data), [flaw])


def _pickle(
    archive: zips.Archive,
    member: zips.Member,
    budget: Budget,
    begin: bytes,
    prepare: Callable[[Machine], None] | None,
) -> Finding | None:
    declared = member.name.casefold().endswith(_PICKLES)
    looks = begin[:1] == b"\x80" and begin[1:2] <= b"\x05"
    if not declared and not looks and member.size > UNPACKED:
        return None
    data = unpacking.content(archive, member, UNPACKED, budget)
    found = walk(BytesIO(data), budget, len(data), prepare)
    # Bytes that nobody calls a pickle may begin like one by chance; few are one to the end.
    by_chance = not found.whole and not found.machine.calls
    if not declared and (by_chance if looks else by_chance or not found.machine.names):
        return None
    flaws = list(found.flaws)
    import zlib

    if member.checksum is not None and zlib.crc32(data) != member.checksum:
        message = f"the checksum of {shown(member.name)} differs: its bytes have changed"
        flaws.append(Flaw(FlawKind.CHECKSUM, message, offset=member.data))
    return Finding(member, _within(found.judgement, member), flaws, found)


def _nested(archive: zips.Archive, member: zips.Member, budget: Budget, depth: int) -> Finding:
    from pipedoctor.checkpoints.pickles import torch_zip

    if depth >= NESTED:
        message = f"{shown(member.name)} is an archive {NESTED + 1} deep"
        raise Unreadable(FlawKind.LIMIT, message, member.header)
    if member.method == zips.STORED and member.data is not None:
        span = Span(archive.span.file, archive.span.start + member.data, member.packed)
    else:
        data = unpacking.content(archive, member, UNPACKED, budget)
        budget.charge(len(data))
        span = Span(BytesIO(data), 0, len(data))
    inner = torch_zip.contents(span, budget, depth + 1)
    reason = f"holds an archive: {inner.reason}"
    judgement = Judgement(inner.verdict, reason, inner.offender, whole_model=inner.whole_model)
    return Finding(member, _within(judgement, member), list(inner.flaws), nested=inner)


def _array(archive: zips.Archive, member: zips.Member, budget: Budget) -> Finding:
    from pipedoctor.checkpoints.pickles import numpy_file

    if member.method == zips.STORED and member.data is not None:
        span = Span(archive.span.file, archive.span.start + member.data, member.packed)
    else:
        # Only an array of objects is read beyond its header, and then to its end.
        data = unpacking.content(archive, member, UNPACKED, budget)
        span = Span(BytesIO(data), 0, len(data))
    inner = numpy_file.array(span, budget)
    if member.method != zips.STORED:
        plain = {name: replace(t, offset=None) for name, t in inner.tensors.items()}
        inner = replace(inner, tensors=plain)
    judgement = Judgement(
        inner.verdict, inner.reason, inner.offender, whole_model=inner.whole_model
    )
    return Finding(member, _within(judgement, member), list(inner.flaws), nested=inner)


def _within(judgement: Judgement, member: zips.Member) -> Judgement:
    """Return a verdict that says in which member it was found."""
    if judgement.verdict is Verdict.ALLOWED:
        return Judgement(Verdict.ALLOWED)
    return Judgement(
        judgement.verdict,
        f"{shown(member.name)} {judgement.reason}",
        judgement.offender,
        judgement.offset,
        judgement.whole_model,
    )
