"""
The tensors of a GGUF file, verified against its size; no weights are read.

What llama.cpp refuses is malformed here too: it wants each tensor to begin where the one before
it ends. Bytes behind the last one do no harm, and are told.
"""

from __future__ import annotations

from math import prod

from pipedoctor.checkpoints.contents import Contents, FlawKind, StoredTensor, Verdict
from pipedoctor.checkpoints.flaws import Flaws
from pipedoctor.checkpoints.gguf_header import Broken, Header, Place
from pipedoctor.checkpoints.gguf_types import TYPES
from pipedoctor.checkpoints.opening import opened, shown

FORMAT = "GGUF"

REFUSED = (
    FlawKind.BAD_HEADER,
    FlawKind.BAD_RANGES,
    FlawKind.DUPLICATE,
    FlawKind.LIMIT,
    FlawKind.TRUNCATED,
)


def read(path: str) -> Contents:
    """Return the tensors of a file, and whatever is wrong with it."""
    flaws = Flaws()
    tensors: dict[str, StoredTensor] = {}
    with opened(path) as source:
        header = Header(source, flaws)
        try:
            header.read()
            tensors = _tensors(header, source.size, flaws)
        except Broken as error:
            flaws.add(error.kind, str(error), offset=header.at)
    verdict, reason = Verdict.ALLOWED, ""
    unknown = next((place for place in header.places if place.type not in TYPES), None)
    if any(kind in flaws for kind in REFUSED):
        verdict, reason = Verdict.MALFORMED, flaws.first
    elif unknown is not None:
        verdict = Verdict.UNSUPPORTED
        reason = f"{shown(unknown.name)} has elements of type {unknown.type:,}, not known here"
    return Contents(
        FORMAT, verdict, reason, tensors=tensors, metadata=header.values, flaws=flaws.told()
    )


def _tensors(header: Header, size: int, flaws: Flaws) -> dict[str, StoredTensor]:
    """Return the tensors; each begins where the one before it ends, with padding."""
    alignment = header.alignment
    if type(alignment) is not int or alignment <= 0 or alignment & (alignment - 1):
        raise Broken(
            FlawKind.BAD_HEADER, f"its alignment is {alignment!r}, and a power of two is expected"
        )
    start = _up(header.at, alignment)
    tensors: dict[str, StoredTensor] = {}
    expected: int | None = 0  # None behind a tensor of unknown length
    end = start if header.places else header.at
    for place in header.places:
        length = _length(place)
        if place.name in tensors:
            flaws.add(FlawKind.DUPLICATE, f"it names {shown(place.name)} twice", tensor=place.name)
        begin = start + place.begin
        if expected is not None and place.begin != expected:
            what = "overlaps what lies before it" if place.begin < expected else "leaves a hole"
            flaws.add(
                FlawKind.BAD_RANGES,
                f"{shown(place.name)} {what}: it begins at byte {begin:,}, and {start + expected:,} "
                "is where the tensor before it ends",
                tensor=place.name,
                offset=begin,
            )
        dtype = TYPES[place.type][0] if place.type in TYPES else f"type {place.type}"
        tensors[place.name] = StoredTensor(
            place.shape,
            dtype,
            bytes=length,
            # Elements in the other order of bytes aren't read here.
            offset=None if header.swapped else begin,
            storage=place.name,
        )
        expected = None if length is None else place.begin + _up(length, alignment)
        end = max(end, begin + (length or 0))
    _compare(end, _up(end, alignment), size, flaws, whole=expected is not None)
    return tensors


def _length(place: Place) -> int | None:
    """Return the bytes of a tensor, None for a type that is not known."""
    if place.type not in TYPES:
        return None
    _, block, size = TYPES[place.type]
    elements = prod(place.shape)
    if elements >= 2**63:
        raise Broken(
            FlawKind.BAD_RANGES, f"{shown(place.name)} has more elements than any memory holds"
        )
    if (place.shape[-1] if place.shape else 1) % block:
        raise Broken(
            FlawKind.BAD_RANGES,
            f"{shown(place.name)} has the shape {list(place.shape)}, whose rows are no whole "
            f"blocks of {block} elements",
        )
    return elements // block * size


def _compare(end: int, padded: int, size: int, flaws: Flaws, *, whole: bool) -> None:
    """Compare the end of the last tensor with the end of the file."""
    if end > size:
        flaws.add(
            FlawKind.TRUNCATED,
            f"it is cut off: {size:,} bytes are there, and its tensors end at {end:,}, so "
            f"{end - size:,} are missing",
            offset=size,
        )
    elif whole and size > padded:
        flaws.add(
            FlawKind.TRAILING,
            f"{size - end:,} bytes follow the last tensor, which ends at {end:,}",
            offset=end,
        )


def _up(number: int, multiple: int) -> int:
    """Return the next multiple of a number."""
    return -(-number // multiple) * multiple
