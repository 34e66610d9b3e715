"""The places of storages in a file, and whether the tensors on them fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.checkpoints.contents import Flaw, FlawKind, StoredTensor
from pipedoctor.checkpoints.pickles.nodes import Rebuilt
from pipedoctor.checkpoints.pickles.rebuilding import SIZES, stored, stretch
from pipedoctor.checkpoints.pickles.verdicts import shown

_MOST = 20  # flaws of one kind that are told


@dataclass(frozen=True)
class Record:
    """A storage in the file: where its bytes begin, None where they are packed, and how many."""

    offset: int | None
    size: int


def placed(
    tensors: Mapping[str, Rebuilt], records: Mapping[str, Record]
) -> tuple[dict[str, StoredTensor], list[Flaw]]:
    """Return each tensor with its place, and a flaw for each that its storage doesn't hold."""
    found: dict[str, StoredTensor] = {}
    flaws: list[Flaw] = []
    for name, tensor in tensors.items():
        memory = tensor.storage
        record = records.get(memory.key) if memory is not None else None
        width = SIZES.get(tensor.dtype)
        if record is None or width is None or memory is None:
            found[name] = stored(tensor, None)
            continue
        skipped = memory.view[0] * width if memory.view else 0
        found[name] = stored(tensor, None if record.offset is None else record.offset + skipped)
        after = skipped + stretch(tensor)[1] * width
        if after > record.size and len(flaws) < _MOST:
            message = f"{shown(name)} takes the bytes up to {after:,} of a storage that has {record.size:,}"
            flaws.append(Flaw(FlawKind.BAD_RANGES, message, tensor=name, offset=record.offset))
    return found, flaws
