"""A file of a distributed checkpoint: archives one after the other, at places its list tells."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import lru_cache
from typing import BinaryIO

from pipedoctor.checkpoints.contents import Contents, Flaw, FlawKind, StoredTensor, Verdict
from pipedoctor.checkpoints.pickles import distributed, torch_zip
from pipedoctor.checkpoints.pickles.limits import MEMBERS, Budget, Unreadable
from pipedoctor.checkpoints.pickles.spans import Span
from pipedoctor.checkpoints.pickles.verdicts import Judgement, shown, worst

FORMAT = "part of a PyTorch distributed checkpoint"
SUFFIX = ".distcp"
LIST = ".metadata"

_MOST = 20  # flaws that are told


def read(path: str) -> Contents:
    """Read what the list beside it says that the file holds, each as an archive of its own."""
    places, why = _places(path)
    with open(path, "rb") as file:
        size = file.seek(0, 2)
        if not why:
            return _Part(file, size, places).contents()
        alone = torch_zip.read_open(file)
    if not any("stand before the archive" in flaw.message for flaw in alone.flaws):
        return alone
    message = f"it is several archives one after the other, and which stands where, {why}"
    flaw = Flaw(FlawKind.MISSING_FILE, message)
    return Contents(FORMAT, Verdict.MALFORMED, message, flaws=(flaw,))


def _places(path: str) -> tuple[tuple[distributed.Place, ...], str]:
    """Return what the list says of a file, or why that is not known."""
    listed = os.path.join(os.path.dirname(path), LIST)
    try:
        status = os.stat(listed)
    except OSError:
        return (), f"only {LIST} tells, which is not beside it"
    places = _listed(listed, status.st_mtime_ns, status.st_size)
    if places is None:
        return (), f"only {LIST} tells, which can't be read"
    return tuple(place for place in places if place.file == os.path.basename(path)), ""


@lru_cache(maxsize=1)
def _listed(path: str, _changed: int, _size: int) -> tuple[distributed.Place, ...] | None:
    """Return the places in all files, None where they can't be read; kept for the next file."""
    from pipedoctor.checkpoints.opening import NotAFile, opened
    from pipedoctor.checkpoints.pickles.walking import walk
    from pipedoctor.fact import Unavailable

    try:
        opened(path).__exit__(None, None, None)  # a pipe would never end
        with open(path, "rb") as file:
            found = walk(file, Budget(), os.path.getsize(path))
    except (NotAFile, OSError, Unavailable, Unreadable):
        return None
    if not found.whole or not distributed.is_metadata(found.top):
        return None
    return tuple(distributed.places(found))


class _Part:
    """The archives of one file."""

    def __init__(self, file: BinaryIO, size: int, places: tuple[distributed.Place, ...]) -> None:
        self._file = file
        self._size = size
        self._places = places
        self._budget = Budget()
        self._flaws: list[Flaw] = []
        self._tensors: dict[str, StoredTensor] = {}

    def contents(self) -> Contents:
        """Read them all; the verdict is the worst of theirs."""
        judgements: list[Judgement] = []
        for place in self._places[:MEMBERS]:
            end = place.offset + place.length
            if place.offset < 0 or place.length < 0 or end > self._size:
                self._flaw(
                    FlawKind.TRUNCATED,
                    f"{shown(place.name)} ends at byte {end:,} of it, and it has {self._size:,}",
                    place.offset,
                )
                continue
            judgements.append(self._one(place))
        reached = max((place.offset + place.length for place in self._places), default=0)
        if reached < self._size:
            self._flaw(
                FlawKind.TRAILING,
                f"{self._size - reached:,} bytes of it are not in {LIST}",
                reached,
            )
        doubts = [flaw for flaw in self._flaws if flaw.kind is FlawKind.TRUNCATED]
        judgements += [Judgement(Verdict.MALFORMED, flaw.message) for flaw in doubts[:1]]
        judgement = worst(judgements)
        return Contents(
            FORMAT,
            judgement.verdict,
            judgement.reason,
            judgement.offender,
            judgement.offset,
            tensors=self._tensors,
            metadata={"archives": len(self._places)},
            flaws=tuple(self._flaws),
        )

    def _one(self, place: distributed.Place) -> Judgement:
        """Read one archive, and return the verdict on it."""
        span = Span(self._file, place.offset, place.length)
        if not span.at(0, 4).startswith(b"PK\x03\x04"):
            reason = f"{shown(place.name)} is no archive of torch.save, and isn't read"
            return Judgement(Verdict.UNSUPPORTED, reason)
        held = torch_zip.contents(span, self._budget)
        for flaw in held.flaws:
            self._flaw(flaw.kind, f"{shown(place.name)}: {flaw.message}", flaw.offset)
        tensor = held.tensors.get("")
        if tensor is not None:
            name = place.name
            if name in self._tensors:  # pieces of one tensor, from several processes
                name = f"{name} at {place.offset}"
            self._tensors[name] = replace(tensor, storage=f"at {place.offset}")
        reason = f"{shown(place.name)} {held.reason}" if held.reason else ""
        return Judgement(held.verdict, reason, held.offender, held.offset)

    def _flaw(self, kind: FlawKind, message: str, offset: int | None) -> None:
        if len(self._flaws) < _MOST:
            self._flaws.append(Flaw(kind, message, offset=offset))
