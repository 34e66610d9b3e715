"""The names in a zip archive, as far as they tell which format it is; members aren't opened."""

from __future__ import annotations

from pipedoctor.checkpoints.opening import Source

END = b"PK\x05\x06"
LONGEST_COMMENT = 65_535
MOST_BYTES = 2**22
"""Of the list of members: the first of them tell the format."""


def names(source: Source) -> set[str]:
    """Return names of members: from the list at the end, else of the member that comes first."""
    listed = _listed(source)
    if listed:
        return listed
    head = source.read(0, 30)
    if head[:4] != b"PK\x03\x04" or len(head) < 30:
        return set()
    length = int.from_bytes(head[26:28], "little")
    return {source.read(30, length).decode("utf-8", "replace")}


def has_end(source: Source) -> bool:
    """Tell whether the record that ends an archive is there."""
    return _end(source) is not None


def _end(source: Source) -> bytes | None:
    tail = source.read(max(0, source.size - 22 - LONGEST_COMMENT), 22 + LONGEST_COMMENT)
    place = tail.rfind(END)
    return tail[place : place + 22] if 0 <= place <= len(tail) - 22 else None


def _listed(source: Source) -> set[str]:
    end = _end(source)
    if end is None:
        return set()
    size, offset = int.from_bytes(end[12:16], "little"), int.from_bytes(end[16:20], "little")
    if offset == 0xFFFFFFFF or size == 0xFFFFFFFF:
        size, offset = _large(source)
    listing = source.read(offset, min(size, MOST_BYTES))
    found, at = set(), 0
    while listing[at : at + 4] == b"PK\x01\x02" and at + 46 <= len(listing):
        name, extra, comment = (
            int.from_bytes(listing[at + place : at + place + 2], "little")
            for place in (28, 30, 32)
        )
        found.add(listing[at + 46 : at + 46 + name].decode("utf-8", "replace"))
        at += 46 + name + extra + comment
    return found


def _large(source: Source) -> tuple[int, int]:
    """Return size and place of the list of an archive beyond 4 GiB."""
    tail = source.read(max(0, source.size - 2**17), 2**17)
    place = tail.rfind(b"PK\x06\x06")
    if place < 0 or place + 56 > len(tail):
        return 0, 0
    return (
        int.from_bytes(tail[place + 40 : place + 48], "little"),
        int.from_bytes(tail[place + 48 : place + 56], "little"),
    )
