"""The numbers of a split, array by array: all of them where the data lies in memory, else the first."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pipedoctor.fact import Fact, Split, Unavailable
from pipedoctor.facts.fit import ARRAYS, GENERATOR
from pipedoctor.frameworks.fitting.chance import random_states
from pipedoctor.frameworks.fitting.drawing import Drawn, First, cut, drawn, fed
from pipedoctor.frameworks.fitting.fed import Fed
from pipedoctor.frameworks.fitting.library import named, to_numpy
from pipedoctor.pipeline import Pipeline
from pipedoctor.units import count

SECONDS = 1.0
"""So long data is looked through; measured on 2 cores, 60,000 images of 28 by 28 take 0.4 s."""

MOST_BATCHES = 512
"""Nor are more batches read of data that makes its own."""

CHUNK = 1 << 22
"""So many elements are looked at together, to need little memory besides."""

MOST_VALUES = 1000
"""More distinct values than this are not counted one by one."""

SHOWN = 3
"""The rows that are named for each value."""

MOST_FEATURES = 1 << 20
"""Of rows with more elements than this, single elements are not followed."""


@dataclass
class Tally:
    """What was seen of one array so far."""

    name: str
    shape: tuple[int | None, ...] = ()
    dtype: str = ""
    rows: int = 0
    kind: str = "other"
    minimum: float | None = None
    maximum: float | None = None
    total: float = 0.0
    squares: float = 0.0
    finite: int = 0
    not_finite: int = 0
    rows_not_finite: int = 0
    bad_rows: list[int] = field(default_factory=list)
    low: Any = None
    high: Any = None
    sums: Any = None
    square_sums: Any = None
    values: dict[Any, int] | None = field(default_factory=dict)
    examples: dict[Any, list[int]] = field(default_factory=dict)
    whole: bool = True
    one_hot: bool = True
    multi_hot: bool = True

    def take(self, array: Any, start: int | None) -> None:
        """Take in the next rows, of which the first has this number; None where rows have none."""
        import numpy as np

        self.dtype = self.dtype or str(array.dtype)
        row = tuple(int(size) for size in array.shape[1:])
        self.shape = row if not self.rows else _common(self.shape, row)
        self.rows += len(array)
        if array.dtype.kind in "OSU":
            self.kind = "text"
            self._count(array.reshape(-1), array, start)
            return
        if array.dtype.kind not in "biuf":
            return
        self.kind = {"b": "bool", "f": "float"}.get(array.dtype.kind, "int")
        numbers = array.astype("float64") if array.dtype.kind in "biu" else array
        flat = numbers.reshape(len(array), -1)
        good = np.isfinite(flat)
        if not good.all():
            bad = np.flatnonzero(~good.all(axis=1))
            self.rows_not_finite += len(bad)
            room = SHOWN - len(self.bad_rows)
            if start is not None:
                self.bad_rows += [int(start + place) for place in bad[:room]]
            self.not_finite += int(good.size - good.sum())
            flat = np.where(good, flat, np.nan)
        self._range(flat)
        if array.dtype.kind == "f":
            self.whole = self.whole and bool((flat[good] == np.rint(flat[good])).all())
        self._hot(flat)
        self._count(
            flat if array.dtype.kind == "f" else array.reshape(len(array), -1), array, start
        )

    def _range(self, flat: Any) -> None:
        """Take in extremes and sums, of all elements and of each of a row."""
        import numpy as np

        if not flat.size or np.isnan(flat).all():
            return
        low, high = float(np.nanmin(flat)), float(np.nanmax(flat))
        self.minimum = low if self.minimum is None else min(low, self.minimum)
        self.maximum = high if self.maximum is None else max(high, self.maximum)
        self.finite += int(flat.size - np.isnan(flat).sum())
        self.total += float(np.nansum(flat, dtype="float64"))
        self.squares += float(np.nansum(flat.astype("float64") ** 2))
        if flat.shape[1] > MOST_FEATURES or (
            self.low is not None and len(self.low) != flat.shape[1]
        ):
            return
        lows, highs = np.fmin.reduce(flat, axis=0), np.fmax.reduce(flat, axis=0)
        wide = flat.astype("float64")
        if self.low is None:
            self.low, self.high = lows, highs
            self.sums = np.nansum(wide, axis=0)
            self.square_sums = np.nansum(wide**2, axis=0)
        else:
            self.low, self.high = np.fmin(self.low, lows), np.fmax(self.high, highs)
            self.sums = self.sums + np.nansum(wide, axis=0)
            self.square_sums = self.square_sums + np.nansum(wide**2, axis=0)

    def _hot(self, flat: Any) -> None:
        """Take in whether the rows are of zeros and ones, with a single one each."""
        if not self.multi_hot:
            return
        self.multi_hot = bool(((flat == 0) | (flat == 1)).all())
        self.one_hot = self.one_hot and self.multi_hot and bool((flat.sum(axis=1) == 1).all())

    def _count(self, flat: Any, array: Any, start: int | None) -> None:
        """Count the distinct values, as long as they are few."""
        import numpy as np

        if self.values is None or array[:1].size > MOST_VALUES:
            self.values = None
            return
        held = flat.reshape(-1)
        if held.dtype.kind == "f":
            held = held[~np.isnan(held)]
        try:
            found, numbers = np.unique(held, return_counts=True)
        except TypeError:  # objects that have no order
            self.values = None
            return
        if len(found) + len(self.values) > 2 * MOST_VALUES:
            self.values = None
            return
        rows = array.reshape(len(array), -1)
        for value, number in zip(found, numbers, strict=True):
            key = value.item() if hasattr(value, "item") else value
            key = key.decode(errors="replace") if isinstance(key, bytes) else key
            self.values[key] = self.values.get(key, 0) + int(number)
            shown = self.examples.setdefault(key, []) if start is not None else []
            if start is not None and len(shown) < SHOWN:
                where = np.flatnonzero((rows == value).any(axis=1))[: SHOWN - len(shown)]
                shown += [int(start + place) for place in where]
        if len(self.values) > MOST_VALUES:
            self.values = None

    @property
    def mean(self) -> float | None:
        """The mean of all finite elements."""
        return self.total / self.finite if self.finite else None

    @property
    def std(self) -> float | None:
        """Their standard deviation."""
        if not self.finite:
            return None
        variance = self.squares / self.finite - (self.total / self.finite) ** 2
        return float(max(0.0, variance) ** 0.5)

    @property
    def all_whole(self) -> bool:
        """Whether these are numbers, and whole ones."""
        return self.kind in {"int", "bool"} or (self.kind == "float" and self.whole)

    @property
    def classes(self) -> int | None:
        """How many classes occur, where each row is an integer or a row of zeros and a one."""
        if self.shape in {(), (1,)}:
            known = self.kind in {"int", "bool"} and self.values is not None
            return len(self.values or ()) if known else None
        if not (self.one_hot and self.multi_hot) or self.high is None:
            return None
        return int((self.high == 1).sum())

    @property
    def constant(self) -> list[int]:
        """The places of the elements that are the same in every row."""
        import numpy as np

        if self.low is None or self.rows < 2:
            return []
        return [int(place) for place in np.flatnonzero(self.low == self.high)]

    @property
    def scales(self) -> tuple[float, float] | None:
        """The smallest and the largest standard deviation of an element that is not constant."""
        import numpy as np

        if self.low is None or self.not_finite or len(self.shape) != 1 or self.rows < 2:
            return None
        variance = self.square_sums / self.rows - (self.sums / self.rows) ** 2
        varying = np.sqrt(np.maximum(variance, 0.0))[self.low != self.high]
        return (float(varying.min()), float(varying.max())) if varying.size else None


@dataclass(frozen=True, repr=False, eq=False)
class Scan(Fact):
    """What was seen of a split; not for checks. `total` is None where the data has no end."""

    doing = "Reading the data"
    per_split = True

    inputs: tuple[Tally, ...]
    labels: tuple[Tally, ...]
    weighted: bool
    rows: int
    total: int | None
    complete: bool
    seconds: float
    batches: int | None = None
    """The batches of one pass, where all of it was read."""

    @property
    def part(self) -> str:
        """What was looked at, in words."""
        return (
            f"all {count(self.rows)} rows"
            if self.complete
            else f"the first {count(self.rows)} rows"
        )


def scan(pipeline: Pipeline, split: Split) -> Scan:
    """
    Look through the data, as far as the time goes.

    Raises:
        Unavailable: To read it would take it from the user, or it has no rows.
        Exception: What fit would raise of such data.

    """
    data = fed(pipeline, split)
    pipeline.fact(First, split)  # what can't be read at all says so there
    begin = time.perf_counter()
    inputs: dict[str, Tally] = {}
    labels: dict[str, Tally] = {}
    rows = batches = 0
    weighted, ended = False, True
    with random_states():
        for piece in _pieces(data):
            for found, structure in ((inputs, piece.x), (labels, piece.y)):
                for name, leaf in named(structure, ""):
                    tally = found.setdefault(name, Tally(name))
                    array = to_numpy(leaf)
                    if array is not None and array.ndim:
                        tally.take(array, piece.rows[0] if piece.rows else None)
            weighted = weighted or piece.sample_weight is not None
            rows, batches = rows + piece.size, batches + 1
            if time.perf_counter() - begin > SECONDS:
                ended = False
                break
    total = _total(data)
    complete = rows == total if data.kind == ARRAYS else ended and batches < MOST_BATCHES
    complete = complete and data.kind != GENERATOR  # of which one batch is read ahead, no more
    return Scan(
        tuple(inputs.values()),
        tuple(labels.values()),
        weighted=weighted,
        rows=rows,
        total=total,
        complete=complete,
        seconds=time.perf_counter() - begin,
        batches=batches if complete and data.kind != ARRAYS else None,
    )


def _total(data: Fed) -> int | None:
    try:
        return data.rows
    except Unavailable:
        return None


def _pieces(data: Fed) -> Iterator[Drawn]:
    """Yield the data in pieces: arrays as they are, cut to rows that fit into memory together."""
    if data.kind != ARRAYS:
        yield from drawn(data, 1 if data.replay is not None else MOST_BATCHES)
        return
    total = data.rows or 0
    widest = max((math.prod(n or 1 for n in leaf.shape[1:]) for leaf in data.whole), default=1)
    step = max(1, CHUNK // max(1, widest))
    for low in range(data.start, data.start + total, step):
        high = min(low + step, data.start + total)
        x, y, weight = (cut(p, low, high) for p in (data.x, data.y, data.sample_weight))
        yield Drawn(x, y, weight, rows=(low,))


def _common(one: tuple[int | None, ...], other: tuple[int | None, ...]) -> tuple[int | None, ...]:
    """Return the shape of rows that differ: None where they do."""
    if len(one) != len(other):
        return tuple(None for _ in other)
    return tuple(a if a == b else None for a, b in zip(one, other, strict=True))
