"""
The header of a safetensors file, verified to the last byte of the file; no weights are read.

What safetensors 0.8.0 refuses is malformed here too. What it reads although the description of
the format forbids it (a name twice, space before the header) is a flaw beside a verdict.
"""

from __future__ import annotations

import re
from math import prod

from pipedoctor.checkpoints.contents import Contents, FlawKind, StoredTensor, Verdict
from pipedoctor.checkpoints.dtypes import BITS
from pipedoctor.checkpoints.flaws import Flaws
from pipedoctor.checkpoints.json_stream import Broken, Entries, TooLong
from pipedoctor.checkpoints.opening import Source, opened, shown

FORMAT = "safetensors"

LARGEST = 100_000_000
"""The longest header that safetensors reads."""
LARGEST_FOR_HUB = 25_000_000
"""The longest header that huggingface_hub reads, for its listings and for models in parts."""
MOST_TENSORS = 250_000
"""Each takes some 400 bytes here; the largest models have fewer than 100,000 in all files."""
LONGEST_NAMES = 32 * 2**20
"""Characters of all names together."""
MOST_DIMENSIONS = 64
"""As many as a torch tensor or a numpy array can have; the product of more would take its time."""

REFUSED = (FlawKind.BAD_RANGES, FlawKind.TRUNCATED, FlawKind.TRAILING)
"""The flaws for which safetensors refuses a file whose header is JSON as it should be."""

_NUMBER = "(?:0|[1-9][0-9]{0,19})"
ENTRY = re.compile(
    rf'\{{ ?"dtype": ?"([A-Z0-9_]+)", ?"shape": ?\[({_NUMBER}(?:, ?{_NUMBER})*)?\], ?'
    rf'"data_offsets": ?\[({_NUMBER}), ?({_NUMBER})\] ?\}}'
)
"""An entry as every library writes it. Another order or space is read too, only slower."""


def read(path: str) -> Contents:
    """Return the tensors of a file, and whatever is wrong with it."""
    with opened(path) as source:
        return contents(source)


def looks_like(head: bytes) -> bool:
    """Tell whether the first bytes are a plausible length, and the beginning of a JSON object."""
    text = head[8:].lstrip(b" \t\r\n")
    if text[:1] != b"{":
        # Eight bytes that are a plausible length: the rest of the file is gone.
        return len(head) == 8 and 2 <= int.from_bytes(head, "little") <= LARGEST
    return text[1:2] in b'"} \t\r\n' or len(text) == 1


def contents(source: Source) -> Contents:
    """Return what a source holds."""
    length = int.from_bytes(source.read(0, 8), "little")
    flaws = Flaws()
    if length > LARGEST:
        flaws.add(
            FlawKind.BAD_HEADER,
            f"its header would have {length:,} bytes, and safetensors reads at most {LARGEST:,}",
            offset=0,
        )
        return Contents(FORMAT, Verdict.MALFORMED, flaws.first, flaws=flaws.told())
    cut = length > source.size - 8
    if cut:
        flaws.add(
            FlawKind.TRUNCATED,
            f"it ends within its header, which needs {length + 8:,} bytes of the file's "
            f"{source.size:,}",
            offset=source.size,
        )
    header = _Header(source.part(8, length), 8 + length, flaws)
    header.read(quietly=cut)
    if header.whole and not cut:
        _ranges(header.tensors, 8 + length, source.size, flaws)
    broken = not header.whole or any(kind in flaws for kind in REFUSED)
    verdict = Verdict.MALFORMED if broken else header.verdict
    if length > LARGEST_FOR_HUB and not broken:
        flaws.add(
            FlawKind.LIMIT,
            f"its header has {length:,} bytes: safetensors reads up to {LARGEST:,}, "
            f"huggingface_hub only up to {LARGEST_FOR_HUB:,}",
            offset=0,
        )
    return Contents(
        FORMAT,
        verdict,
        flaws.first if verdict is not Verdict.ALLOWED else "",
        tensors=header.tensors,
        metadata=header.metadata,
        flaws=flaws.told(),
    )


def _ranges(tensors: dict[str, StoredTensor], start: int, size: int, flaws: Flaws) -> None:
    """Compare the ranges with each other and with the file, in the order of the bytes."""
    end = start
    ranges = ((t.offset or 0, (t.offset or 0) + (t.bytes or 0), n) for n, t in tensors.items())
    for begin, stop, name in sorted(ranges):
        if stop < begin:
            continue  # told with its shape
        if begin != end:
            what = "overlaps what lies before it" if begin < end else "leaves a hole before it"
            flaws.add(
                FlawKind.BAD_RANGES,
                f"{shown(name)} {what}: it begins at byte {begin:,}, and {end:,} is where the "
                "tensor before it ends",
                tensor=name,
                offset=begin,
            )
        end = max(end, stop)
    if end > size:
        flaws.add(
            FlawKind.TRUNCATED,
            f"it is cut off: {size:,} bytes are there, and its tensors end at {end:,}, so "
            f"{end - size:,} are missing",
            offset=size,
        )
    elif end < size:
        flaws.add(
            FlawKind.TRAILING,
            f"{size - end:,} bytes follow the last tensor, which ends at {end:,}; safetensors "
            "refuses the file",
            offset=end,
        )


class _Header:
    """The header while it is read."""

    def __init__(self, source: Source, start: int, flaws: Flaws) -> None:
        self.tensors: dict[str, StoredTensor] = {}
        self.metadata: dict[str, object] = {}
        self.whole = True
        self.verdict = Verdict.ALLOWED
        self._entries = Entries(source)
        self._start = start  # where the ranges count from
        self._flaws = flaws
        self._characters = 0

    def read(self, *, quietly: bool) -> None:
        """Read it as far as it goes; why it ends early is told unless that is told already."""
        try:
            self._read()
        except Broken as error:
            self.whole = False
            if quietly:
                return
            limit = isinstance(error, TooLong)
            kind = FlawKind.LIMIT if limit else FlawKind.BAD_HEADER
            what = "is not read to its end" if limit else "can't be read"
            self._flaws.add(kind, f"its header {what}: {error}", offset=8 + error.offset)

    def _read(self) -> None:
        entries, described = self._entries, False
        entries.begin()
        if entries.leading_space:
            self._flaws.add(
                FlawKind.BAD_HEADER,
                "its header begins with space: the format wants a brace at byte 8, though "
                "safetensors 0.8.0 reads it",
                offset=8,
            )
        while (name := entries.key()) is not None:
            if name == "__metadata__":
                if described:
                    raise Broken("__metadata__ stands there twice", entries.offset)
                described = True
                self._metadata()
            else:
                self._tensor(name)
            if len(self.tensors) >= MOST_TENSORS or self._characters > LONGEST_NAMES:
                raise TooLong(
                    f"{len(self.tensors):,} tensors were read, and more than that are not "
                    "verified here",
                    entries.offset,
                )
        entries.end()

    def _metadata(self) -> None:
        for name, value in self._entries.strings():
            if value is None:
                self._bad(
                    f"its metadata {shown(name)!r} is no text, which safetensors refuses",
                    8 + self._entries.offset,
                )
            elif len(self.metadata) < 10_000:
                self.metadata[name] = value

    def _tensor(self, name: str) -> None:
        place = 8 + self._entries.offset
        written = self._entries.match(ENTRY)
        if written is not None:
            tensor = self._written(name, written, place)
        else:
            tensor = self._stated(name, self._entries.value(), place)
        if tensor is None:
            return
        self._characters += len(name)
        if name in self.tensors:
            self._flaws.add(
                FlawKind.DUPLICATE,
                f"its header names {shown(name)} twice; the last one is what loads",
                tensor=name,
                offset=place,
            )
        self.tensors[name] = tensor

    def _written(self, name: str, entry: re.Match[str], place: int) -> StoredTensor | None:
        """Return the tensor of an entry that is written as every library writes it."""
        dtype, sizes, begin, end = entry.groups()
        shape = tuple(map(int, sizes.split(","))) if sizes else ()
        return self._fitting(name, dtype, shape, (int(begin), int(end)), place)

    def _stated(self, name: str, entry: object, place: int) -> StoredTensor | None:
        """Return the tensor of an entry that is written in another order, or wrongly."""
        if isinstance(entry, dict):
            dtype, shape = entry.get("dtype"), _counts(entry.get("shape"))
            offsets = _counts(entry.get("data_offsets"))
            if isinstance(dtype, str) and shape is not None and offsets and len(offsets) == 2:
                return self._fitting(name, dtype, shape, (offsets[0], offsets[1]), place)
        self._bad(
            f"its header describes {shown(name)} wrongly: dtype, shape and data_offsets are "
            "expected, a text, counts and two counts",
            place,
            name,
        )
        return None

    def _fitting(
        self, name: str, dtype: str, shape: tuple[int, ...], offsets: tuple[int, int], place: int
    ) -> StoredTensor | None:
        """Return the tensor whose range fits its shape."""
        length = offsets[1] - offsets[0]
        if len(shape) > MOST_DIMENSIONS:
            raise TooLong(f"{shown(name)} has {len(shape):,} dimensions", place - 8)
        if any(number >= 2**64 for number in (*shape, *offsets)) or _overflows(shape):
            self._bad(
                f"its header gives {shown(name)} a shape or range beyond every memory", place, name
            )
            return None
        bits = BITS.get(dtype)
        if bits is None:
            self._flaws.add(
                FlawKind.BAD_HEADER,
                f"{shown(name)} has elements of type {shown(dtype, 20)!r}, which safetensors "
                "0.8.0 doesn't know",
                tensor=name,
                offset=place,
            )
            self.verdict = Verdict.UNSUPPORTED
        elif length < 0 or prod(shape) * bits != length * 8:
            needed = -(-prod(shape) * bits // 8)
            self._flaws.add(
                FlawKind.BAD_RANGES,
                f"{shown(name)} of shape {list(shape)} and type {dtype} needs "
                f"{needed:,} bytes, and its range {offsets[0]:,} to {offsets[1]:,} has "
                f"{length:,}",
                tensor=name,
                offset=place,
            )
        return StoredTensor(
            shape, dtype, bytes=length, offset=self._start + offsets[0], storage=name
        )

    def _bad(self, message: str, offset: int, tensor: str = "") -> None:
        self._flaws.add(FlawKind.BAD_HEADER, message, tensor=tensor, offset=offset)
        self.whole = False


def _overflows(shape: tuple[int, ...]) -> bool:
    """Tell whether multiplying the sizes, in their order, leaves 64 bits on the way."""
    product = 1
    for size in shape:
        product *= size
        if product >= 2**64:
            return True
    return False


def _counts(values: object) -> tuple[int, ...] | None:
    """Return a list of numbers that count something."""
    if not isinstance(values, list) or not all(type(n) is int and n >= 0 for n in values):
        return None
    return tuple(values)
