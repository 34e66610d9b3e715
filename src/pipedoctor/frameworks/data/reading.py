"""
Reading rows of data that only their owner's code can make: by index, or from a fresh iterator.

All rows are read where that is cheap; else as many as a few seconds allow, spread evenly over the
data. What is remembered of a row is small: the types and lengths of its columns, and its labels.
Only the rows that are to be collated are kept as they are.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import gcd
from typing import Any

from pipedoctor.fact import Fact, Split, Unavailable
from pipedoctor.frameworks.data.record import TOKENS, Column, as_record, length_of
from pipedoctor.pipeline import ProbeFailed

MOST = 20_000
"""More rows than this are not read, however fast they come."""

SECONDS = 5.0
"""Nor is there more time spent on them, beyond the rows of the first batch."""

LONGEST = 2
"""How many of the longest rows are kept: two, since it takes two to differ in length."""

GOLDEN = 0.618034
"""Steps of this share of the data land far from all rows read before."""


@dataclass(frozen=True)
class Broken:
    """Rows whose reading raised: how many, the first of them, and what it raised."""

    count: int
    row: int
    error: Exception


@dataclass(frozen=True, repr=False, eq=False)
class Read(Fact):
    """
    What was read of a split by its own code; not for checks.

    `total` is the number of rows there are, None for a stream. `kept` holds the rows of the first
    batch (`first`) and the longest (`longest`) as they were read. `form` is "dict", or the name
    of the type that rows are of; `columns` tells of the named values that they hold. `together`
    says that rows are asked for by the batch, so that they may depend on each other.
    """

    doing = "Reading rows of the data"
    per_split = True

    total: int | None
    count: int
    form: str = ""
    columns: Mapping[str, Column] = field(default_factory=dict)
    kept: Mapping[int, Any] = field(default_factory=dict)
    head: int = 0
    """How many rows the first batch has."""
    first: tuple[int, ...] = ()
    longest: tuple[int, ...] = ()
    broken: Broken | None = None
    together: bool = False
    seconds: float = 0.0

    @property
    def complete(self) -> bool:
        """Whether every row was read."""
        return self.count == self.total

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The rows that are collated together."""
        longest = self.longest
        if len(longest) == 1 and not self.together:
            longest += self.first[:1]  # or it would not show that lengths differ
        return tuple(group for group in (self.first, longest) if group)

    def summary(self) -> Mapping[str, object]:
        """Tell how much was read: proof that it ran."""
        return {"rows": self.count, "of": self.total}


class Reader:
    """Takes in rows, and remembers what there is to say of them."""

    def __init__(self, labels: Sequence[str], size: int) -> None:
        """Name the columns that may be labels, and say how many rows the first batch has."""
        self._labels = labels
        self._size = size
        self._columns: dict[str, Column] = {}
        self._kept: dict[int, Any] = {}
        self._longest: list[tuple[int, int]] = []
        self._forms: dict[str, None] = {}
        self._broken: dict[int, Exception] = {}
        self._count = 0
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """The time since the first row was asked for."""
        return time.monotonic() - self._start

    def take(self, row: int, value: Any) -> None:
        """Take in a row."""
        self._count += 1
        self._forms["dict" if isinstance(value, dict) else type(value).__name__] = None
        record = as_record(value)
        for name, held in (record or {}).items():
            column = self._columns.setdefault(str(name), Column())
            column.take(row, held, whole=name in self._labels, tokens=name in TOKENS)
        if row < self._size:
            self._kept[row] = value
        elif record is not None:
            self._consider(row, value, record)

    def fail(self, row: int, error: Exception) -> None:
        """Note that a row could not be read."""
        self._count += 1
        first = min(self._broken, default=row)
        self._broken[row] = error if row <= first else _TOLD

    def read(self, total: int | None, *, together: bool = False) -> Read:
        """Return what was read so far."""
        broken = min(self._broken, default=None)
        return Read(
            total=total,
            count=self._count,
            form=next(iter(self._forms), ""),
            columns=self._columns,
            kept=self._kept,
            head=self._size,
            first=tuple(sorted(row for row in self._kept if row < self._size)),
            longest=tuple(
                row for _, row in sorted(self._longest, key=lambda one: (-one[0], one[1]))
            ),
            broken=None
            if broken is None
            else Broken(len(self._broken), broken, self._broken[broken]),
            together=together,
            seconds=self.seconds,
        )

    def _consider(self, row: int, value: Any, record: Mapping[str, Any]) -> None:
        """Keep a row if it is one of the longest so far."""
        length = _length(record)
        if not length:
            return
        self._longest.append((length, row))
        self._kept[row] = value
        if len(self._longest) > LONGEST:
            shortest = min(self._longest, key=lambda one: (one[0], -one[1]))
            self._longest.remove(shortest)
            del self._kept[shortest[1]]


_TOLD = Exception("another row raised")
"""Stands for what later rows raised; a traceback holds on to all that it passed through."""


def read_by_index(data: Any, total: int, labels: Sequence[str], size: int, seconds: float) -> Read:
    """Read rows by index: those of the first batch, the last, then all over the data."""
    reader = Reader(labels, min(size, total))
    for count, row in enumerate(order(total, size)):
        patience = 4 * seconds if count < size else seconds
        if count >= MOST or (count and reader.seconds > patience):
            break
        try:
            value = data[row]
        except Exception as error:  # noqa: BLE001 - the user's code, which the finding will show
            reader.fail(row, error)
        else:
            reader.take(row, value)
    return reader.read(total, together=_batchwise(data))


def fetch_groups(found: Read, data: Any) -> Read:
    """Ask once more for the rows to collate, batch by batch, as torch does where data allow it."""
    if found.broken is not None and found.broken.row < found.head:
        return found
    kept: dict[int, Any] = {}
    for group in reversed(found.groups):
        kept |= dict(zip(group, data.__getitems__(list(group)), strict=True))
    return replace(found, kept=kept, together=True)


def read_stream(rows: Iterator[Any], labels: Sequence[str], size: int, seconds: float) -> Read:
    """Read the first batch of a stream."""
    reader = Reader(labels, size)
    for row in range(size):
        if row and reader.seconds > 4 * seconds:
            break
        try:
            value = next(rows)
        except StopIteration:
            break
        except Exception as error:  # noqa: BLE001 - the user's code, which the finding will show
            reader.fail(row, error)
            break  # a generator that has raised has ended
        reader.take(row, value)
    return reader.read(None)


def order(total: int, size: int) -> Iterator[int]:
    """Yield all rows: the first ones, the last one, then the others, each far from the last."""
    head = min(size, total)
    yield from range(head)
    if total > head:
        yield total - 1
    between = total - 1 - head
    if between < 1:
        return
    step = max(1, round(between * GOLDEN))
    while gcd(step, between) > 1:
        step += 1
    for number in range(between):
        yield head + number * step % between


def raise_broken(found: Read, fact: type[Fact], split: Split, *, head: bool = False) -> None:
    """
    Raise what the reading of a row raised, if one could not be read.

    With `head`, only a row of the first batch counts.

    Raises:
        ProbeFailed: With the number of the row.

    """
    broken = found.broken
    if broken is None or (head and broken.row >= found.head):
        return
    what = "stream" if found.total is None else "data"
    row = f"row {broken.row:,}"
    if broken.count > 1:
        row = f"{broken.count:,} of {found.count:,} rows, first {row},"
    name = "training" if split is Split.TRAIN else "evaluation"
    raise ProbeFailed(
        fact, split, broken.error, doing=f"Reading {row} of the {name} {what}", rows=(broken.row,)
    ) from broken.error


def require_rows(found: Read, split: Split) -> None:
    """Raise `Unavailable` where there is nothing to look at."""
    if not found.count:
        raise Unavailable(f"the {split.value} data has no rows")


def _length(record: Mapping[str, Any]) -> int:
    """Return the length of a row: of its token ids, else of its first sequence."""
    if "input_ids" in record:
        return length_of(record["input_ids"]) or 0
    return next((n for n in map(length_of, record.values()) if n is not None), 0)


def _batchwise(data: Any) -> bool:
    """Whether a data set answers for a whole batch by code of its own, as torch would ask it."""
    while True:
        own = getattr(data, "__getitems__", None)
        if own is None:
            return False
        if type(data).__module__.startswith("torch.") and hasattr(data, "dataset"):
            data = data.dataset  # a Subset hands the question on
            continue
        return callable(own)
