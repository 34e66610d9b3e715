"""
HDF5 files, as Keras and TensorFlow write them: the superblock by ourselves, the rest by h5py.

Without h5py a file is judged by its superblock alone, and its tensors aren't listed. Links that
lead to other files are never followed.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipedoctor.checkpoints.contents import Contents, FlawKind, Verdict
from pipedoctor.checkpoints.flaws import Flaws
from pipedoctor.checkpoints.opening import opened
from pipedoctor.checkpoints.pickles.spans import Span, of_file

FORMAT = "HDF5"
SIGNATURE = b"\x89HDF\r\n\x1a\n"
PLACES = (0, 512, 1024, 2048)
"""Where a file may begin, after a block of the user's."""
WIDTHS = frozenset({2, 4, 8})
"""Bytes of an address that the library writes."""
OPEN_FOR_WRITING = 1


@dataclass(frozen=True)
class Superblock:
    """The head of a file: where it stands, and where the file ends by its own word."""

    at: int
    version: int
    end: int


def read(path: str) -> Contents:
    """Return what a file holds, or where it was cut off."""
    with opened(path) as source:
        size = source.size
    with open(path, "rb") as file:
        return contents(Span(file, 0, size), of_file(file).start)


def contents(span: Span, place: int) -> Contents:
    """Return what a stretch holds; `place` is where it begins in the file, for the offsets."""
    from pipedoctor.checkpoints import keras_h5

    flaws = Flaws()
    block = superblock(span, flaws)
    if block is None or flaws:
        return Contents(FORMAT, Verdict.MALFORMED, flaws.first, flaws=flaws.told())
    return keras_h5.contents(span, place, {"superblock": block.version})


def superblock(span: Span, flaws: Flaws) -> Superblock | None:
    """Return the superblock; what is wrong with it is a flaw."""
    at = next((place for place in PLACES if span.at(place, 8) == SIGNATURE), None)
    if at is None:
        flaws.add(FlawKind.BAD_HEADER, "it has no signature of HDF5", offset=0)
        return None
    head = span.at(at, 96)
    version = head[8] if len(head) > 8 else 0
    if version > 3:
        message = f"its superblock is of version {version}, and 0 to 3 are known"
        flaws.add(FlawKind.BAD_HEADER, message, offset=at + 8)
        return None
    old = version < 2
    width = head[13 if old else 9] if len(head) > 13 else 8
    # After the addresses' widths: numbers of the old trees; then base, free space or extension.
    first = (24, 28, 12, 12)[version]
    if width not in WIDTHS:
        message = f"its addresses would have {width} bytes each"
        flaws.add(FlawKind.BAD_HEADER, message, offset=at + (13 if old else 9))
        return None
    place = first + 2 * width
    needed = first + 4 * width + (2 * width + 24 if old else 4)
    if len(head) < needed:
        message = f"it is cut off within its superblock: {span.size:,} bytes of {at + needed:,}"
        flaws.add(FlawKind.TRUNCATED, message, offset=span.size)
        return None
    end = int.from_bytes(head[place : place + width], "little")
    if end > span.size:
        flaws.add(
            FlawKind.TRUNCATED,
            f"it is cut off: {span.size:,} bytes are there, and it ends at {end:,} by its "
            f"superblock, so {end - span.size:,} are missing",
            offset=span.size,
        )
    elif end < at + needed:
        message = f"it ends at {end:,} by its superblock, before that ends itself"
        flaws.add(FlawKind.BAD_HEADER, message, offset=at + place)
    if version == 3 and head[11] & OPEN_FOR_WRITING:
        message = "what wrote it did not close it, so h5py refuses it"
        flaws.add(FlawKind.BAD_HEADER, message, offset=at + 11)
    return Superblock(at, version, end)
