"""One row as its owner's code makes it, and the columns that many of them form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipedoctor.facts.samples import Samples

SHOWN = 3
"""The rows that are named where a value is missing."""

LOOKED_THROUGH = 100
"""Lists are looked through to their ends in so many rows; later on, at their first items."""

TOKENS = ("input_ids", "attention_mask")
"""Columns of which the extremes are noted."""

LARGEST_LABEL = 4096
"""An array of more items is an image or the like, and no row's labels."""

ARROW = {"float16": "halffloat", "float32": "float", "float64": "double"}
"""Arrow's words where they differ from numpy's and torch's."""

PLAIN = {int: "int64", float: "double", str: "string", bool: "bool", bytes: "binary"}
"""Arrow's words for the types of plain Python."""


def as_record(row: Any) -> Mapping[str, Any] | None:
    """
    Return the named values of a row; None if it has none, as a tuple.

    The default collator takes the attributes of an object for its columns.
    """
    if isinstance(row, Mapping):
        return row
    if isinstance(row, (tuple, list, str)) or hasattr(row, "shape"):
        return None
    held = getattr(row, "__dict__", None)
    return held if isinstance(held, dict) and held else None


def length_of(value: Any) -> int | None:
    """Return the length of a list or an array, None of anything else, a text for instance."""
    shape = getattr(value, "shape", None)
    if shape is not None:
        return int(shape[0]) if len(shape) else None
    return len(value) if isinstance(value, (list, tuple)) else None


def plain(value: Any) -> Any:
    """Return a label as plain Python, whatever array it stands in."""
    if hasattr(value, "shape") and hasattr(value, "tolist"):
        size = 1
        for extent in value.shape:
            size *= int(extent)
        return value.tolist() if size <= LARGEST_LABEL else value
    return value


def word(value: Any, *, whole: bool = True) -> str:
    """Return the type of a value in the words of Arrow: "int64", "list<int64>"."""
    if value is None:
        return "null"
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        name = str(value.dtype).removeprefix("torch.")
        name = "string" if name.startswith("<U") else ARROW.get(name, name)
        for _ in value.shape:
            name = f"list<{name}>"
        return name
    if isinstance(value, (list, tuple)):
        inner = {word(item) for item in (value if whole else value[:1])}
        return f"list<{merged(inner)}>"
    if isinstance(value, Mapping):
        return "struct"
    return PLAIN.get(type(value), type(value).__name__)


def merged(words: set[str]) -> str:
    """Return one word for the types of several values; nothing fits all."""
    for nothing in ("null", "list<null>"):
        if len(words) > 1:
            words = words - {nothing}
    if words == {"int64", "double"}:
        return "double"
    if len(words) > 1:
        return "mixed"
    return next(iter(words), "null")


@dataclass
class Column:
    """The values of one name in the rows that were read."""

    words: set[str] = field(default_factory=set)
    present: int = 0
    missing: dict[int, None] = field(default_factory=dict)
    """Rows that hold None."""
    lengths: dict[int, int] = field(default_factory=dict)
    """The lengths of lists and arrays, by row."""
    values: dict[int, Any] = field(default_factory=dict)
    """The values themselves, of columns that may be labels."""
    ends: tuple[int, int] | None = None
    """The least and the largest number of columns of tokens."""
    holders: dict[int, int] = field(default_factory=dict)
    """For these numbers: the first row that holds them."""
    zero: list[int] = field(default_factory=list)
    """Rows of such a column that hold nothing but zeros."""

    def take(self, row: int, value: Any, *, whole: bool, tokens: bool = False) -> None:
        """Take in the value of a row; `whole` if it is to be remembered, `tokens` if ids are."""
        self.present += 1
        self.words.add(word(value, whole=self.present <= LOOKED_THROUGH))
        if value is None:
            self.missing[row] = None
        length = length_of(value)
        if length is not None:
            self.lengths[row] = length
        if whole:
            self.values[row] = plain(value)
        if tokens and length:
            self._note(row, value)

    def _note(self, row: int, value: Any) -> None:
        """Note the extremes of a row of tokens, if it is one."""
        ends = extremes(value)
        if ends is None:
            return
        if ends == (0, 0):
            self.zero.append(row)
        low, high = self.ends or ends
        self.ends = min(low, ends[0]), max(high, ends[1])
        for end in ends:
            self.holders[end] = min(row, self.holders.get(end, row))
        for gone in {low, high, *ends} - set(self.ends):
            self.holders.pop(gone, None)

    @property
    def type(self) -> str:
        """The type of the column in the words of Arrow."""
        return merged(self.words)


def extremes(value: Any) -> tuple[int, int] | None:
    """Return the least and the largest of a row of integers; None where it is no such row."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        whole = len(value.shape) == 1 and "int" in str(value.dtype)
        return (int(value.min()), int(value.max())) if whole else None
    if isinstance(value, (list, tuple)) and set(map(type, value)) <= {int}:
        return min(value), max(value)
    return None


def described(
    indices: tuple[int, ...], looked_at: Sequence[Mapping[str, Any]], names: tuple[str, ...]
) -> Samples:
    """Return what there is to say of these rows: the lengths of sequences, and what lacks."""
    lengths: dict[str, tuple[int, ...]] = {}
    missing: dict[str, tuple[int, ...]] = {}
    for name in names:
        values = [row.get(name) for row in looked_at]
        lacking = tuple(i for i, v in zip(indices, values, strict=True) if v is None)
        if lacking:
            missing[name] = lacking
        measured = [length_of(value) for value in values]
        if any(length is not None for length in measured):
            lengths[name] = tuple(length or 0 for length in measured)
    return Samples(indices, names, lengths, missing)
