"""Files of pickles: one, several in a row, or the older format of `torch.save`."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from pipedoctor.checkpoints.contents import Contents, Flaw, FlawKind, Verdict
from pipedoctor.checkpoints.pickles import distributed, legacy
from pipedoctor.checkpoints.pickles.joblib_file import WRAPPER, follow_joblib
from pipedoctor.checkpoints.pickles.limits import Budget
from pipedoctor.checkpoints.pickles.reader import Machine
from pipedoctor.checkpoints.pickles.records import Record, placed
from pipedoctor.checkpoints.pickles.verdicts import Judgement, worst
from pipedoctor.checkpoints.pickles.walking import Walk, following, runs, walk

_END_OF_ZIP = b"PK\x05\x06"


def read(path: str) -> Contents:
    """Read a file that is, or begins with, a pickle."""
    with open(path, "rb") as file:
        size = file.seek(0, 2)

        def again() -> BinaryIO:
            file.seek(0)
            return file

        found = contents(again, size, Budget())
        return _with_archive(file, size, found)


def contents(again: Callable[[], BinaryIO], size: int | None, budget: Budget) -> Contents:
    """
    Read the pickles that fill a file; `again` opens it at its beginning.

    `size` is None for a stream whose end isn't known.
    """
    file = again()
    first = walk(file, budget, size)
    if size is not None and first.whole and first.top == legacy.MAGIC:
        return legacy.contents(file, size, budget, first)
    judgements = [first.judgement]
    if WRAPPER in first.machine.names:
        # joblib reads arrays in the middle of the pickle, and Python's own unpickler doesn't.
        judgements = [first.judgement] if runs(first) else []
        file = again()
        first = walk(file, budget, size, _as_joblib)
        judgements.append(first.judgement)
    if first.whole and distributed.is_metadata(first.top):
        return distributed.contents(first)
    flaws, pickles = list(first.flaws), int(_is_pickle(first))
    if first.whole:
        more = following(file, size, budget)
        judgements.append(more.judgement)
        flaws += more.flaws
        pickles += more.count
        if size is not None and more.end < size:
            message = f"{size - more.end:,} bytes follow the pickle"
            flaws.append(Flaw(FlawKind.TRAILING, message, offset=more.end))
    tensors, _ = placed(first.inventory.tensors, _arrays(first.machine))
    found = worst(judgements)
    return Contents(
        format="joblib file" if WRAPPER in first.machine.names else "pickle",
        verdict=found.verdict,
        reason=found.reason,
        offender=found.offender,
        offset=found.offset,
        whole_model=found.whole_model,
        tensors=tensors,
        values=first.inventory.values,
        metadata={"protocol": first.machine.protocol, "pickles": pickles},
        flaws=tuple(flaws),
    )


def _as_joblib(machine: Machine) -> None:
    machine.built = follow_joblib


def _is_pickle(found: Walk) -> bool:
    if found.whole or found.machine.names or found.machine.protocol > 1:
        return True
    return found.limited


def _arrays(machine: Machine) -> dict[str, Record]:
    """Return the places of joblib's arrays, whose storages are named by them."""
    return {
        key: Record(memory.kind.offset, memory.location)
        for key, memory in machine.storages.items()
        if key.startswith("@") and isinstance(memory.location, int)
    }


def _with_archive(file: BinaryIO, size: int, found: Contents) -> Contents:
    """Return the verdict on a file that is a ZIP archive as well, whose end tells it."""
    tail = min(size, 65557)
    file.seek(size - tail)
    if _END_OF_ZIP not in file.read(tail):
        return found
    from dataclasses import replace

    from pipedoctor.checkpoints.pickles import torch_zip

    other = torch_zip.read_open(file)
    if not found.metadata.get("pickles", 1):
        return other
    first = _judgement(found)
    second = _judgement(other)
    message = "it is a pickle and a ZIP archive in one: loaders read one or the other"
    both = Judgement(Verdict.MALFORMED, message)
    judgement = worst([first, second, both])
    return replace(
        found,
        verdict=judgement.verdict,
        reason=judgement.reason,
        offender=judgement.offender,
        offset=judgement.offset,
        whole_model=judgement.whole_model,
        flaws=(*found.flaws, *other.flaws, Flaw(FlawKind.DUPLICATE, message)),
    )


def _judgement(held: Contents) -> Judgement:
    """Return the verdict that contents came with."""
    return Judgement(
        held.verdict, held.reason, held.offender, held.offset, whole_model=held.whole_model
    )
