"""
The oldest format of `torch.save`: a tar archive of pickles with numbers between them.

`torch.load(weights_only=True)` refuses it, so that loading it always takes trust. The tensors are
not listed: what its pickles would run is told.
"""

from __future__ import annotations

from pipedoctor.checkpoints.contents import Contents, Flaw, FlawKind, Verdict
from pipedoctor.checkpoints.pickles import zips
from pipedoctor.checkpoints.pickles.limits import MEMBERS, Budget, Unreadable
from pipedoctor.checkpoints.pickles.members import examined
from pipedoctor.checkpoints.pickles.nodes import Global, Unknown
from pipedoctor.checkpoints.pickles.reader import Machine
from pipedoctor.checkpoints.pickles.rebuilding import storage
from pipedoctor.checkpoints.pickles.spans import Span, of_file
from pipedoctor.checkpoints.pickles.verdicts import Judgement, shown, worst
from pipedoctor.checkpoints.pickles.walking import walk

_BLOCK = 512
_FILES = {b"0", b"\0", b"7"}
_PARTS = {"pickle", "storages", "tensors"}


def read(path: str) -> Contents:
    """Read a tar archive."""
    with open(path, "rb") as file:
        span = of_file(file)
        budget = Budget()
        archive = _archive(span, budget)
        return _contents(archive, budget)


def _archive(span: Span, budget: Budget) -> zips.Archive:
    """Return the members of a tar, each told by its header."""
    archive = zips.Archive(span)
    place = 0
    while place < span.size:
        header = span.at(place, _BLOCK)
        if len(header) == _BLOCK and not header.strip(b"\0"):
            # Two empty blocks end an archive; what follows isn't read by any loader.
            if span.at(place + _BLOCK, _BLOCK) != b"\0" * _BLOCK:
                archive.flaw(FlawKind.TRUNCATED, "its end is missing", span.size)
            break
        size = _number(header[124:136])
        if len(header) < _BLOCK or size is None or _sum(header) != _number(header[148:156]):
            archive.flaw(FlawKind.BAD_HEADER, f"the header at byte {place:,} is none", place)
            break
        budget.charge(600)
        budget.tick()
        data = place + _BLOCK
        name = header[:100].split(b"\0", 1)[0].decode("utf-8", "backslashreplace")
        if data + size > span.size:
            message = (
                f"{shown(name)} has {size:,} bytes, and the file ends after {span.size - data:,}"
            )
            archive.flaw(FlawKind.TRUNCATED, message, data)
            break
        if header[156:157] in _FILES:
            archive.members.append(
                zips.Member(name, zips.STORED, 0, None, size, size, place, data)
            )
        elif header[156:157] in {b"1", b"2"}:
            archive.flaw(FlawKind.OUTSIDE, f"{shown(name)} is a link", place)
        if len(archive.members) > MEMBERS:
            archive.flaw(FlawKind.LIMIT, f"it has more than {MEMBERS:,} members", place)
            break
        place = data + -(-size // _BLOCK) * _BLOCK
    else:
        archive.flaw(FlawKind.TRUNCATED, "its end is missing", span.size)
    zips.find_duplicates(archive)
    return archive


def _number(field: bytes) -> int | None:
    """Return a number of a header: octal digits, or bytes where the first bit is set."""
    if field[:1] >= b"\x80":
        return int.from_bytes(field[1:], "big") if field[:1] == b"\x80" else None
    digits = field.strip(b" \0")
    try:
        return int(digits, 8) if digits else 0
    except ValueError:
        return None


def _sum(header: bytes) -> int:
    return sum(header) - sum(header[148:156]) + 8 * ord(" ")


def _contents(archive: zips.Archive, budget: Budget) -> Contents:
    names = {m.name for m in archive.members}
    is_torch = names >= _PARTS
    flaws = list(archive.flaws)
    judgements = [_as_pickle(archive, budget)]
    try:
        for member in archive.members:
            if is_torch and member.name in _PARTS:
                found, bad = _part(archive, member, budget)
                judgements += found
                flaws += bad
                continue
            finding = examined(archive, member, budget, 1)
            if finding is not None:
                judgements.append(finding.judgement)
                flaws += finding.flaws
    except Unreadable as problem:
        flaws.append(Flaw(problem.kind, problem.message, offset=problem.offset))
    if is_torch:
        reason = "torch.load(weights_only=True) refuses this format"
        judgements.append(Judgement(Verdict.NEEDS_TRUST, reason))
    else:
        judgements.append(Judgement(Verdict.UNSUPPORTED, "it is a tar archive"))
    if flaws:
        judgements.append(Judgement(Verdict.MALFORMED, flaws[0].message))
    judgement = worst(judgements)
    return Contents(
        format="PyTorch legacy tar" if is_torch else "tar archive",
        verdict=judgement.verdict,
        reason=judgement.reason,
        offender=judgement.offender,
        offset=judgement.offset,
        whole_model=judgement.whole_model,
        metadata={"members": len(archive.members)},
        flaws=tuple(flaws),
    )


def _as_pickle(archive: zips.Archive, budget: Budget) -> Judgement:
    """Return the verdict on the file as a pickle: the name of its first member can be one."""
    span = archive.span
    span.file.seek(span.start)
    found = walk(span.file, budget, span.size)
    return found.judgement if found.machine.names else Judgement(Verdict.ALLOWED)


def _part(
    archive: zips.Archive, member: zips.Member, budget: Budget
) -> tuple[list[Judgement], list[Flaw]]:
    """
    Return the verdicts on the pickles of a member, with whatever numbers stand between them.

    Behind each pickle the next one is looked for at the marks that begin one.
    """
    assert member.data is not None
    span = archive.span
    end = span.start + member.end
    begin = span.start + member.data
    found: list[Judgement] = []
    flaws: list[Flaw] = []
    span.file.seek(begin)
    first = walk(span.file, budget, end, _prepare)
    found.append(first.judgement)
    flaws += first.flaws
    place = first.end if first.whole else end
    while (place := _next(span, place, end, budget)) < end:
        span.file.seek(place)
        after = walk(span.file, budget, end, _prepare)
        budget.step(16)
        if after.whole or (after.judgement.verdict is Verdict.UNSAFE and after.machine.calls):
            found.append(after.judgement)
        place = after.end if after.whole else place + 2
    return found, flaws


def _prepare(machine: Machine) -> None:
    machine.persistent = _persistent


def _persistent(told: object) -> object:
    """Return what an id stands for: here a tensor's number, or a class with its source."""
    if isinstance(told, bytes | int | str):
        return Unknown()
    found = storage(told)
    return found if isinstance(found, Global) else None


def _next(span: Span, place: int, end: int, budget: Budget) -> int:
    """Return where the next bytes are that begin a pickle of protocol 2 to 5."""
    while place < end:
        budget.tick()
        piece = span.at(place - span.start, min(65536, end - place))
        at = piece.find(b"\x80")
        while at >= 0:
            if at + 1 == len(piece) or piece[at + 1] <= 5:
                return place + at
            at = piece.find(b"\x80", at + 1)
        place += len(piece)
    return end
