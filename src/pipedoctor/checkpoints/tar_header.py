"""The first block of a tar archive, told by its own checksum."""

from __future__ import annotations


def begins(head: bytes) -> bool:
    """Tell whether these bytes begin a tar archive."""
    block = head[:512]
    if len(block) < 512 or not block[0]:
        return False
    stated = block[148:156].strip(b" \x00")
    if not stated or len(stated) > 7 or stated.strip(b"01234567"):
        return False
    return sum(block[:148]) + sum(block[156:]) + 8 * 32 == int(stated, 8)
