"""
The header of a safetensors file: names, types and shapes of its tensors, no weights.

The file may be anybody's, so nothing in it is trusted before it was checked.
"""

from __future__ import annotations

import json
from math import prod
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.facts.model_files import Tensor
from pipedoctor.probes import files

LARGEST = 100_000_000
"""The longest header that the format's own library reads."""
MOST_DIMENSIONS = 64
"""As many as a torch tensor or a numpy array can have; the product of more would take its time."""

BYTES = {
    "BOOL": 1,
    "U8": 1,
    "I8": 1,
    "F8_E4M3": 1,
    "F8_E5M2": 1,
    "F8_E8M0": 1,
    "I16": 2,
    "U16": 2,
    "F16": 2,
    "BF16": 2,
    "I32": 4,
    "U32": 4,
    "F32": 4,
    "I64": 8,
    "U64": 8,
    "F64": 8,
    "C64": 8,
}
"""The bytes of one element, of the types whose elements fill whole bytes."""


def read(path: str) -> dict[str, Tensor]:
    """
    Return the tensors of a file.

    Raises:
        Unavailable: It can't be read, or it is no whole safetensors file.

    """
    size = files.size(path)
    with files.opened(path) as file:
        try:
            prefix = file.read(8)
            length = int.from_bytes(prefix, "little")
            if len(prefix) < 8 or length > LARGEST or length > size - 8:
                raise Unavailable(
                    f"{path} is no safetensors file, or only the beginning of one: it has "
                    f"{size:,} bytes, and its header would need {length:,}"
                )
            header = json.loads(file.read(length))
        except (OSError, ValueError, RecursionError) as error:
            raise Unavailable(f"the header of {path} can't be read: {error}") from None
    return tensors(header, size - 8 - length, path)


def tensors(header: Any, room: int, path: str) -> dict[str, Tensor]:
    """Return the tensors that a header names, if each of them fits into the room after it."""
    if not isinstance(header, dict):
        raise Unavailable(f"the header of {path} is no table of tensors")
    found: dict[str, Tensor] = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        tensor = _tensor(entry)
        if tensor is None:
            raise Unavailable(f"the header of {path} describes {name[:80]!r} wrongly")
        if entry["data_offsets"][1] > room:
            raise Unavailable(
                f"{path} is cut off: {name[:80]} ends at byte {entry['data_offsets'][1]:,} of the "
                f"data, of which there are {room:,}"
            )
        found[name] = tensor
    return found


def _tensor(entry: Any) -> Tensor | None:
    """Return what an entry describes, None if it contradicts itself."""
    if not isinstance(entry, dict):
        return None
    dtype, shape = entry.get("dtype"), _counts(entry.get("shape"))
    offsets = _counts(entry.get("data_offsets"))
    if not isinstance(dtype, str) or shape is None or offsets is None or len(offsets) != 2:
        return None
    length = offsets[1] - offsets[0]
    if length < 0 or (dtype in BYTES and length != prod(shape) * BYTES[dtype]):
        return None
    return Tensor(shape, dtype)


def _counts(values: Any) -> tuple[int, ...] | None:
    """Return a list of numbers that count something: few of them, and each fits into 64 bits."""
    if not isinstance(values, list) or len(values) > MOST_DIMENSIONS:
        return None
    if not all(type(number) is int and 0 <= number < 2**64 for number in values):
        return None
    return tuple(values)
