"""
The older format of `torch.save`: five pickles in a row, then the memory of the tensors.

The pickles are a magic number, a version, the machine, the object, and the keys of the storages.
Each storage is its number of elements, in eight bytes, and the elements.
"""

from __future__ import annotations

from typing import BinaryIO

from pipedoctor.checkpoints.contents import Contents, Flaw, FlawKind, Verdict
from pipedoctor.checkpoints.pickles.limits import Budget
from pipedoctor.checkpoints.pickles.nodes import Storage
from pipedoctor.checkpoints.pickles.rebuilding import itemsize
from pipedoctor.checkpoints.pickles.records import Record, placed
from pipedoctor.checkpoints.pickles.verdicts import Judgement, worst
from pipedoctor.checkpoints.pickles.walking import Walk, following, walk

MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001
_AT_MOST = 100_000  # opcodes that are followed where there should be none
_NAMES = ("magic number", "version", "machine", "object", "keys")


def contents(file: BinaryIO, size: int, budget: Budget, magic: Walk) -> Contents:
    """Read on after the magic number."""
    walks = [magic]
    while len(walks) < len(_NAMES) and walks[-1].whole:
        walks.append(walk(file, budget, size))
    flaws = [flaw for each in walks for flaw in each.flaws]
    whole = walks[-1].whole
    if whole and walks[1].top != _VERSION:
        flaws.append(Flaw(FlawKind.BAD_HEADER, f"its version is no {_VERSION}"))
    judgement = worst(each.judgement for each in walks)
    records: dict[str, Record] = {}
    if whole:
        judgement = worst([judgement, _hidden(file, size)])
        records, end, wrong = _storages(file, size, walks[4].top, walks[3].machine.storages)
        flaws += wrong
        if not wrong and end < size:
            file.seek(end)
            judgement = worst([judgement, _hidden(file, size)])
            message = f"{size - end:,} bytes follow the last storage"
            flaws.append(Flaw(FlawKind.TRAILING, message, offset=end))
        elif wrong and judgement.verdict is not Verdict.UNSAFE:
            judgement = Judgement(Verdict.MALFORMED, wrong[0].message, judgement.offender)
    inventory = walks[3].inventory if len(walks) > 3 else magic.inventory
    tensors, bad = placed(inventory.tensors, records)
    return Contents(
        format="PyTorch legacy file",
        verdict=judgement.verdict,
        reason=judgement.reason,
        offender=judgement.offender,
        offset=judgement.offset,
        whole_model=judgement.whole_model,
        tensors=tensors,
        values=inventory.values if len(walks) > 3 else {},
        metadata={"protocol": magic.machine.protocol, "pickles": len(walks)},
        flaws=(*flaws, *(bad if whole else ())),
    )


def _hidden(file: BinaryIO, size: int) -> Judgement:
    """
    Return the verdict on pickles where torch.load sees numbers, or nothing.

    Whoever reads pickle after pickle goes on there. Numbers are no pickle, so that only what
    would surely run counts.
    """
    begin = file.tell()
    found = following(file, size, Budget(_AT_MOST)).judgement
    file.seek(begin)
    return found if found.verdict is Verdict.UNSAFE else Judgement(Verdict.ALLOWED)


def _storages(
    file: BinaryIO, size: int, keys: object, declared: dict[str, Storage]
) -> tuple[dict[str, Record], int, list[Flaw]]:
    """Return the place of each storage, where the last one ends, and what is wrong."""
    records: dict[str, Record] = {}
    begin = file.tell()
    if not isinstance(keys, list) or not all(type(key) in {str, int} for key in keys):
        return records, begin, [Flaw(FlawKind.BAD_HEADER, "its list of storages is none")]
    for key in map(str, keys):
        storage = declared.get(key)
        width = itemsize(storage.kind) if storage else None
        if storage is None or width is None:
            message = f"storage {key[:50]!r} is listed, and no tensor of the file says what it is"
            return records, begin, [Flaw(FlawKind.BAD_HEADER, message, offset=begin)]
        head = file.read(8)
        count = int.from_bytes(head, "little", signed=True)
        after = begin + 8 + count * width
        if len(head) < 8 or count < 0 or after > size:
            message = (
                f"storage {key[:50]!r} takes {count * width:,} bytes from byte {begin + 8:,},"
                f" and the file ends at {size:,}"
            )
            return records, begin, [Flaw(FlawKind.TRUNCATED, message, offset=size)]
        if count != storage.numel:
            message = (
                f"storage {key[:50]!r} holds {count:,} elements, declared as {storage.numel:,}"
            )
            return records, begin, [Flaw(FlawKind.BAD_RANGES, message, offset=begin)]
        records[key] = Record(begin + 8, count * width)
        begin = file.seek(after)
    missing = [key for key in declared if key not in records]
    if missing:
        message = f"storage {missing[0][:50]!r} of its tensors isn't in the file"
        return records, begin, [Flaw(FlawKind.TRUNCATED, message, offset=begin)]
    return records, begin, []
