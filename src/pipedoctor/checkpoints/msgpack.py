"""The files that Flax writes: MessagePack, recognised by the map of names it begins with."""

from __future__ import annotations

from pipedoctor.checkpoints.contents import Contents, Verdict
from pipedoctor.checkpoints.opening import opened

FORMAT = "Flax MessagePack"


def looks_like(head: bytes) -> bool:
    """Tell whether a map begins here whose first name holds a map or an array."""
    first = head[:1]
    if b"\x81" <= first <= b"\x8f":
        at = 1
    elif first == b"\xde":
        at = 3
    elif first == b"\xdf":
        at = 5
    else:
        return False
    name, at = _text(head, at)
    value = head[at : at + 1]
    # A map, or the extension 1 that Flax writes arrays as, or an array.
    maps = b"\x80" <= value <= b"\x9f" or value in {b"\xde", b"\xdf", b"\xdc", b"\xdd"}
    arrays = value in {b"\xc7", b"\xc8", b"\xc9"}
    return bool(name) and (maps or arrays)


def read(path: str) -> Contents:
    """Say what it is, and what reads it."""
    with opened(path) as source:
        size = source.size
    message = (
        f"it is a MessagePack file of {size:,} bytes, as Flax writes its weights: transformers "
        "reads them up to release 4.57 only; convert it there with "
        "`from_pretrained(folder, from_flax=True).save_pretrained(other)`"
    )
    return Contents(FORMAT, Verdict.UNSUPPORTED, message)


def _text(head: bytes, at: int) -> tuple[str, int]:
    """Return the text at a place, "" if there is none."""
    mark = head[at : at + 1]
    if b"\xa0" < mark <= b"\xbf":
        length, at = mark[0] & 31, at + 1
    elif mark == b"\xd9" and len(head) > at + 1:
        length, at = head[at + 1], at + 2
    else:
        return "", at
    try:
        text = head[at : at + length].decode()
    except UnicodeDecodeError:
        return "", at
    return (text if text.isprintable() else ""), at + length
