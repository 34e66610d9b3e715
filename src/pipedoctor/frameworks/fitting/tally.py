"""What is counted of one array of the data while it is gone through."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

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
    hot: dict[int, list[int]] = field(default_factory=dict)
    """The first rows with their one at a place, where each row is of zeros and a single one."""

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
        self._hot(flat, start)
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

    def _hot(self, flat: Any, start: int | None) -> None:
        """Take in whether the rows are of zeros and ones, with a single one each."""
        if not self.multi_hot:
            return
        self.multi_hot = bool(((flat == 0) | (flat == 1)).all())
        self.one_hot = self.one_hot and self.multi_hot and bool((flat.sum(axis=1) == 1).all())
        if not self.one_hot or len(self.shape) != 1 or not 1 < flat.shape[1] <= MOST_VALUES:
            self.hot = {}
        elif start is not None:
            self._show(flat.argmax(axis=1), start)

    def _show(self, ones: Any, start: int) -> None:
        import numpy as np

        for place in np.unique(ones).tolist():
            shown = self.hot.setdefault(place, [])
            rows = np.flatnonzero(ones == place)[: SHOWN - len(shown)]
            shown += [int(start + row) for row in rows]

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


def _common(one: tuple[int | None, ...], other: tuple[int | None, ...]) -> tuple[int | None, ...]:
    """Return the shape of rows that differ: None where they do."""
    if len(one) != len(other):
        return tuple(None for _ in other)
    return tuple(a if a == b else None for a, b in zip(one, other, strict=True))
