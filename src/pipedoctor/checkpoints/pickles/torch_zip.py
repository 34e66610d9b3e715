"""ZIP archives of `torch.save`, `torch.jit.save` and `torch.export.save`, and any other ZIP."""

from __future__ import annotations

from dataclasses import replace
from typing import BinaryIO

from pipedoctor.checkpoints.contents import Contents, Flaw, FlawKind, StoredTensor, Verdict
from pipedoctor.checkpoints.pickles import script, unpacking, zips
from pipedoctor.checkpoints.pickles.limits import Budget, Unreadable
from pipedoctor.checkpoints.pickles.members import Finding, examined
from pipedoctor.checkpoints.pickles.nodes import Storage
from pipedoctor.checkpoints.pickles.rebuilding import itemsize
from pipedoctor.checkpoints.pickles.records import Record, placed
from pipedoctor.checkpoints.pickles.spans import Span, of_file
from pipedoctor.checkpoints.pickles.verdicts import Judgement, shown, worst

_PICKLE = "data.pkl"
_MOST = 20  # flaws of one kind that are told
_BY_THE_WAY = frozenset(
    {FlawKind.TRAILING, FlawKind.CHECKSUM, FlawKind.CODE, FlawKind.NOT_A_CHECKPOINT}
)
"""Flaws that leave no doubt about which bytes a loader reads."""


def read(path: str) -> Contents:
    """Read a ZIP archive."""
    with open(path, "rb") as file:
        return read_open(file)


def read_open(file: BinaryIO) -> Contents:
    """Read an archive that is open already."""
    return contents(of_file(file), Budget())


def contents(  # noqa: C901 - a chain of formats, each in a line or two
    span: Span, budget: Budget, depth: int = 0
) -> Contents:
    """Read the archive that fills a span; `depth` counts the archives around it."""
    try:
        archive = zips.read(span, budget)
    except Unreadable as problem:
        return _unreadable(problem.kind, problem.message)
    if archive is None:
        message = "its directory is missing: the file was cut off"
        return _unreadable(FlawKind.TRUNCATED, message)
    found = _findings(archive, budget, depth)
    pickles = [f for f in found if f.walk is not None and _is(f.member, _PICKLE)]
    judgements = [f.judgement for f in found]
    flaws = [*archive.flaws, *(flaw for f in found for flaw in f.flaws)]
    kind = "zip archive"
    if script.is_script(archive) or script.is_export(archive):
        kind = "TorchScript archive" if script.is_script(archive) else "PyTorch export archive"
        judgement, code = script.program(archive)
        judgements.append(judgement)
        flaws += code
    elif any(_is(m, _PICKLE) for m in archive.members):
        kind = "PyTorch zip archive"
    elif archive.members and all(m.name.endswith(".npy") for m in archive.members):
        kind = "NumPy archive"
    elif not found:
        what = "it is a ZIP archive without data.pkl"
        judgements.append(Judgement(Verdict.UNSUPPORTED, what))
        if not flaws:  # else they say why
            flaws.append(Flaw(FlawKind.NOT_A_CHECKPOINT, what))
    elif all(f.nested is not None and "zip archive" in f.nested.format for f in found):
        inside = shown(found[0].member.name)
        flaws.append(
            Flaw(FlawKind.NOT_A_CHECKPOINT, f"it is a ZIP archive with an archive in it, {inside}")
        )
    whole = next((f for f in pickles if f.walk and f.walk.whole), None)
    tensors = _arrays(found)
    values: dict[str, object] = {}
    metadata: dict[str, object] = {"members": len(archive.members)}
    if whole is not None and whole.walk is not None:
        root = whole.member.name[: -len(_PICKLE)]
        records, wrong = _records(archive, root, whole.walk.machine.storages)
        tensors, bad = placed(whole.walk.inventory.tensors, records)
        flaws += [*wrong, *bad]
        values = whole.walk.inventory.values
        metadata |= _metadata(archive, root, budget)
        if metadata.get("byteorder") == "big":  # elements in this order aren't read here
            tensors = {name: replace(each, offset=None) for name, each in tensors.items()}
        metadata["protocol"] = whole.walk.machine.protocol
    judgement = _judgement(judgements, flaws)
    return Contents(
        format=kind,
        verdict=judgement.verdict,
        reason=judgement.reason,
        offender=judgement.offender,
        offset=judgement.offset,
        whole_model=judgement.whole_model,
        tensors=tensors,
        values=values,
        metadata=metadata,
        flaws=tuple(flaws),
    )


def _judgement(judgements: list[Judgement], flaws: list[Flaw]) -> Judgement:
    """Return the worst of the verdicts, and of the doubts that the archive itself leaves."""
    doubts = [flaw for flaw in flaws if flaw.kind not in _BY_THE_WAY]
    unclear = [Judgement(Verdict.MALFORMED, flaw.message, "", flaw.offset) for flaw in doubts[:1]]
    return worst([*judgements, *unclear])


def _arrays(found: list[Finding]) -> dict[str, StoredTensor]:
    """Return the arrays of a .npz by name."""
    return {
        ".".join(filter(None, (finding.member.name.removesuffix(".npy"), name))): tensor
        for finding in found
        if finding.nested is not None and finding.nested.format == "NumPy array"
        for name, tensor in finding.nested.tensors.items()
    }


def _unreadable(kind: FlawKind, message: str) -> Contents:
    return Contents("zip archive", Verdict.MALFORMED, message, flaws=(Flaw(kind, message),))


def _is(member: zips.Member, name: str) -> bool:
    return member.name.rpartition("/")[2].casefold() == name


def is_storage(member: zips.Member) -> bool:
    """
    Whether a member is the memory of a tensor, by its place in the archive.

    Its bytes may begin like anything: one of 256 begins like a pickle.
    """
    parts = member.name.split("/")
    if len(parts) == 3 and parts[1] == "data":
        return parts[2].isdecimal()
    return len(parts) >= 3 and parts[-2] in {"weights", "constants"} and parts[-3] == "data"


def _findings(archive: zips.Archive, budget: Budget, depth: int) -> list[Finding]:
    """Return what each member holds that could run; disputed names are never taken as memory."""
    disputed = any(flaw.kind is FlawKind.DUPLICATE for flaw in archive.flaws)
    prepare = script.prepare if script.is_script(archive) else None
    found: list[Finding] = []
    failed = 0
    for member in archive.members:
        if member.name.endswith("/") or (is_storage(member) and not disputed):
            continue
        finding = examined(archive, member, budget, depth, prepare)
        if finding is not None:
            found.append(finding)
            failed += finding.judgement.verdict is Verdict.MALFORMED
        if failed > _MOST:  # where the time is up, all others fail as well
            break
    if archive.prefix:
        found += _before(archive, budget)
    return found


def _before(archive: zips.Archive, budget: Budget) -> list[Finding]:
    """Return the pickle that stands before an archive: some loaders would read only that."""
    from pipedoctor.checkpoints.pickles.walking import walk

    span = archive.span
    span.file.seek(span.start)
    found = walk(span.file, budget, span.start + span.size)
    if not found.machine.names:
        return []
    member = zips.Member("what stands before it", 0, 0, None, 0, 0, 0)
    return [Finding(member, found.judgement, [], found)]


def _records(
    archive: zips.Archive, root: str, declared: dict[str, Storage]
) -> tuple[dict[str, Record], list[Flaw]]:
    """Return the place of each storage that the pickle declares, and what is wrong with them."""
    members = {m.name: m for m in archive.members}
    records: dict[str, Record] = {}
    flaws: list[Flaw] = []
    for key, storage in declared.items():
        member = members.get(f"{root}data/{key}")
        width = itemsize(storage.kind)
        if member is None:
            _add(flaws, f"storage {shown(key)} of its tensors isn't in the archive", None)
            continue
        offset = None
        if member.method == zips.STORED and member.data is not None:
            offset = archive.span.start + member.data
        records[key] = Record(offset, member.size)
        if width is not None and member.size != storage.numel * width:
            message = (
                f"storage {shown(key)} has {member.size:,} bytes, declared as"
                f" {storage.numel:,} elements of {width}"
            )
            _add(flaws, message, member.data)
    return records, flaws


def _add(flaws: list[Flaw], message: str, offset: int | None) -> None:
    if len(flaws) < _MOST:
        flaws.append(Flaw(FlawKind.BAD_RANGES, message, offset=offset))


def _metadata(archive: zips.Archive, root: str, budget: Budget) -> dict[str, object]:
    """Return what the small members say: version and byte order."""
    found: dict[str, object] = {}
    for member in archive.members:
        name = member.name.removeprefix(root)
        if name in {"version", "byteorder"} and member.name.startswith(root):
            try:
                text = unpacking.content(archive, member, 64, budget)
            except Unreadable:
                continue
            found[name] = shown(text.decode("utf-8", "replace").strip())
    return found


def verify(path: str) -> tuple[Flaw, ...]:
    """Compare the checksum of every member with its bytes; the file is read once, in pieces."""
    from pipedoctor.checkpoints.pickles.checksums import differing

    with open(path, "rb") as file:
        return tuple(differing(of_file(file)))
