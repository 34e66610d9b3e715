"""
The header of a GGUF file, read from its beginning on: values, and what is said of each tensor.

Whatever it states is bounded before it is believed: a count by the bytes that are left, the work
by limits of our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import unpack_from
from typing import Literal

from pipedoctor.checkpoints.contents import FlawKind
from pipedoctor.checkpoints.flaws import Flaws
from pipedoctor.checkpoints.opening import Source, shown

VERSIONS = (1, 2, 3)
MOST_TENSORS = 100_000
MOST_VALUES = 100_000
MOST_KEPT = 2_000
"""Values that are kept as metadata; a large model has 60."""
MOST_ELEMENTS = 5_000_000
"""Elements of all arrays of texts; a vocabulary has 260,000, its merges twice as many."""
COST_OF_ARRAY = 50
"""As many texts are passed over in the time of one array within an array."""
LONGEST_NAME = 2**16 - 1
"""Bytes of a name by the description of the format."""
LONGEST_NAMES = 16 * 2**20
"""Bytes of all names together."""
LONGEST_SHOWN = 1_000
"""Bytes of a text that are kept as metadata; chat templates are longer."""
MOST_WINDOWS = 2_000
"""Windows of the header that are read: 2 GB of one that was made to be endless."""
MOST_DIMENSIONS = 4

SIMPLE = {
    0: ("B", 1),
    1: ("b", 1),
    2: ("H", 2),
    3: ("h", 2),
    4: ("I", 4),
    5: ("i", 4),
    6: ("f", 4),
    7: ("?", 1),
    10: ("Q", 8),
    11: ("q", 8),
    12: ("d", 8),
}
"""The types of values that are numbers: the sign of `struct`, and bytes."""
TEXT, ARRAY = 8, 9


class Broken(Exception):  # noqa: N818 - a state of the file, told as a flaw
    """The header can't be read further."""

    def __init__(self, kind: FlawKind, message: str) -> None:
        """Say why."""
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Place:
    """What the header says of one tensor; `begin` counts from the beginning of the data."""

    name: str
    shape: tuple[int, ...]
    type: int
    begin: int


class Header:
    """The header while it is read."""

    def __init__(self, source: Source, flaws: Flaws) -> None:
        """Begin with nothing."""
        self.values: dict[str, object] = {}
        self.places: list[Place] = []
        self.alignment: object = 32
        self._flaws = flaws
        self._size = source.size
        self._bytes = _Bytes(source)
        self._names: set[str] = set()
        self._letters = LONGEST_NAMES
        self._elements = MOST_ELEMENTS

    @property
    def at(self) -> int:
        """The byte that is read next."""
        return self._bytes.at

    @property
    def swapped(self) -> bool:
        """Whether its numbers, and the elements of its tensors, begin with their highest byte."""
        return self._bytes.order == ">"

    def read(self) -> None:
        """
        Read it to its end.

        Raises:
            Broken: It has no end, or what stands there can't be meant.

        """
        found = self._bytes
        found.take(4, "its mark")
        version = found.number("I", "its version")
        if version and not version & 0xFFFF:  # written on a machine of the other order
            found.order = ">"
            version = int.from_bytes(version.to_bytes(4, "little"), "big")
        if version not in VERSIONS:
            raise Broken(FlawKind.BAD_HEADER, f"its version is {version:,}, and 1 to 3 are known")
        if version == 1:
            found.count = "I"
        self.values["GGUF.version"] = version
        tensors, values = found.length("its tensors"), found.length("its values")
        # The least that an entry can take tells a count that can't be meant.
        for count, least, what, most in (
            (tensors, 20, "tensors", MOST_TENSORS),
            (values, 9, "values", MOST_VALUES),
        ):
            if count * least > self._size:
                raise Broken(
                    FlawKind.BAD_HEADER,
                    f"it states {count:,} {what}, for which its {self._size:,} bytes have no room",
                )
            if count > most:
                raise Broken(
                    FlawKind.LIMIT, f"it states {count:,} {what}; up to {most:,} are read here"
                )
        for _ in range(values):
            self._value()
        for _ in range(tensors):
            self._tensor()

    def _value(self) -> None:
        place = self._bytes.at
        name = self._name("the name of a value")
        kind = self._bytes.number("I", "the type of a value")
        if name in self._names:
            self._flaws.add(FlawKind.DUPLICATE, f"it states {shown(name)} twice", offset=place)
        self._names.add(name)
        found = self._one(kind, shown(name))
        if name == "general.alignment":
            self.alignment = found
        if len(self.values) < MOST_KEPT:
            self.values[name] = found

    def _name(self, what: str) -> str:
        length = self._bytes.length(what)
        self._letters -= length
        if length > LONGEST_NAME:
            raise Broken(
                FlawKind.BAD_HEADER,
                f"{what} would have {length:,} bytes, and {LONGEST_NAME:,} is the most",
            )
        if self._letters < 0:
            raise Broken(
                FlawKind.LIMIT, f"its names have more than {LONGEST_NAMES:,} bytes together"
            )
        return self._bytes.take(length, what).decode("utf-8", "backslashreplace")

    def _one(self, kind: int, what: str, depth: int = 0) -> object:
        """Return a value; of an array only what it holds and how many."""
        found = self._bytes
        if kind in SIMPLE:
            sign, size = SIMPLE[kind]
            return unpack_from(found.order + sign, found.take(size, what))[0]
        if kind == TEXT:
            length = found.length(what)
            kept = found.take(min(length, LONGEST_SHOWN), what)
            found.skip(length - len(kept), what)
            return kept.decode("utf-8", "backslashreplace")
        if kind != ARRAY or depth > 3:
            raise Broken(FlawKind.BAD_HEADER, f"{what} has a value of type {kind:,}")
        inner, count = found.number("I", what), found.length(what)
        if inner in SIMPLE:
            found.skip(count * SIMPLE[inner][1], what)
            return f"{count:,} numbers"
        self._elements -= count if inner == TEXT else count * COST_OF_ARRAY
        if count > self._size:
            raise Broken(
                FlawKind.BAD_HEADER,
                f"{what} has {count:,} elements, for which {self._size:,} bytes have no room",
            )
        if self._elements < 0:
            raise Broken(
                FlawKind.LIMIT, f"with {what}, its arrays have more elements than are read here"
            )
        if inner == TEXT:
            found.skip_texts(count, what)
            return f"{count:,} texts"
        for _ in range(count):
            self._one(inner, what, depth + 1)
        return f"{count:,} arrays"

    def _tensor(self) -> None:
        found = self._bytes
        name = self._name("the name of a tensor")
        if not name:
            raise Broken(
                FlawKind.BAD_HEADER, f"tensor {len(self.places) + 1:,} of its header has no name"
            )
        what = shown(name)
        dimensions = found.number("I", what)
        if dimensions > MOST_DIMENSIONS:
            raise Broken(
                FlawKind.BAD_HEADER,
                f"{what} has {dimensions:,} dimensions, and {MOST_DIMENSIONS} is the most",
            )
        shape = tuple(found.length(what) for _ in range(dimensions))
        # The file begins with the size of a row; torch ends with it.
        self.places.append(
            Place(name, shape[::-1], found.number("I", what), found.number("Q", what))
        )


class _Bytes:
    """The bytes of the header, read on and on through a window."""

    WINDOW = 2**20

    def __init__(self, source: Source) -> None:
        self.at = 0
        self.order = "<"
        self.count = "Q"  # the sign of lengths and counts; version 1 had shorter ones
        self._source = source
        self._window = b""
        self._windows = 0
        self._start = 0

    def take(self, length: int, what: str) -> bytes:
        """Return the next bytes."""
        self._need(length, what)
        begin = self.at - self._start
        if begin + length > len(self._window):
            self._windows += 1
            if self._windows > MOST_WINDOWS:
                raise Broken(FlawKind.LIMIT, f"its header has more than {self.at:,} bytes")
            self._start, begin = self.at, 0
            self._window = self._source.read(self.at, max(length, self.WINDOW))
            if len(self._window) < length:
                raise Broken(FlawKind.TRUNCATED, f"it became shorter while {what} was read")
        self.at += length
        return self._window[begin : begin + length]

    def skip(self, length: int, what: str) -> None:
        """Pass over bytes."""
        self._need(length, what)
        self.at += length

    def number(self, sign: str, what: str) -> int:
        """Return the next number."""
        size = 4 if sign == "I" else 8
        return int(unpack_from(self.order + sign, self.take(size, what))[0])

    def length(self, what: str) -> int:
        """Return the next number that counts something."""
        return self.number(self.count, what)

    def skip_texts(self, count: int, what: str) -> None:
        """Pass over texts: a vocabulary has hundreds of thousands."""
        order: Literal["little", "big"] = "little" if self.order == "<" else "big"
        head = 4 if self.count == "I" else 8
        while count:
            at, window = self.at - self._start, self._window
            # Those that lie in the window whole, without a call for each.
            while count and at + head <= len(window):
                following = at + head + int.from_bytes(window[at : at + head], order)
                if following > len(window):
                    break
                at = following
                count -= 1
            self.at = self._start + at
            if count:
                self.skip(self.length(what), what)
                count -= 1

    def _need(self, length: int, what: str) -> None:
        if length > self._source.size - self.at:
            raise Broken(
                FlawKind.TRUNCATED,
                f"it ends within its header: {what} needs {length:,} bytes at {self.at:,}, and "
                f"the file has {self._source.size:,}",
            )
