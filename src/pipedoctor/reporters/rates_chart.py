"""
What `pipedoctor lr` draws: the loss over rates that rise, and below it what that means.

A column is as far from the next in every decade. Everything is one character wide, and
`text.ASCII` has a plain sign for each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import floor, isfinite, log10
from typing import Any

from pipedoctor.reporters.layout import Line
from pipedoctor.reporters.plan_charts import BLOCKS
from pipedoctor.units import rate

HEIGHT = 6
"""The rows of the curve."""

LABEL = 9
"""The columns before each row, for the losses at its scale."""

COLUMNS = 80
"""The curve is not wider than this."""

Figures = Mapping[str, Any]


def lines(told: Figures, width: int) -> Iterator[Line]:
    """Yield the chart: the curve, its axis, and the marks below it."""
    points = [
        (float(p["rate"]), float(p["smoothed"]))
        for p in told["points"]
        if isfinite(float(p["loss"]))
    ]
    if len(points) < 2:
        return
    scale = Scale(points[0][0], points[-1][0], max(20, min(COLUMNS, width - LABEL - 2)))
    yield from _curve(points, float(told["start"]), scale)
    yield [(" " * LABEL, ""), (scale.axis(), "dim")]
    for name, low, high, style in _marks(told):
        yield [(f"{name:>{LABEL - 1}} ", ""), (scale.mark(low, high), style)]


class Scale:
    """Which column a rate stands in."""

    def __init__(self, low: float, high: float, columns: int) -> None:
        """Go from one rate to another in so many columns."""
        self._low, self._decades = log10(low), log10(high) - log10(low)
        self.columns = columns

    def column(self, value: float) -> int:
        """Return the column of a rate, the first or the last where it lies beyond."""
        if value <= 0:
            return 0
        share = (log10(value) - self._low) / self._decades
        return min(self.columns - 1, max(0, round(share * (self.columns - 1))))

    def axis(self) -> str:
        """Return the decades, each at its column, as far as there is room."""
        told = [" "] * self.columns
        for decade in range(floor(self._low), floor(self._low + self._decades) + 1):
            name, at = rate(10.0**decade), self.column(10.0**decade)
            inside = decade >= self._low - 1e-9 and at + len(name) <= self.columns
            if inside and not "".join(told[max(0, at - 1) : at + len(name) + 1]).strip():
                told[at : at + len(name)] = name
        return "".join(told)

    def mark(self, low: float, high: float | None) -> str:
        """Return a line with a range of rates, or with a single one."""
        first = self.column(low)
        if high is None:
            return " " * first + "●"
        return " " * first + "━" * max(1, self.column(high) - first + 1)


def _curve(points: Sequence[tuple[float, float]], start: float, scale: Scale) -> Iterator[Line]:
    losses = [loss for _, loss in points]
    low = min(losses)
    # What explodes would press all else flat.
    high = min(max(losses), max(start, losses[0]) + max(start - low, 0.1 * abs(start), 1e-9))
    low = min(low, high - 0.1 * max(abs(high), 1e-9))
    heights = [_height(_at(points, scale, place), low, high) for place in range(scale.columns)]
    for row in range(HEIGHT - 1, -1, -1):
        drawn = "".join(BLOCKS[min(8, max(0, eighths - row * 8))] for eighths in heights)
        named = {HEIGHT - 1: _short(high), 0: _short(low)}.get(row, "")
        yield [(f"{named:>{LABEL - 2}} │", "dim"), (drawn, "")]


def _at(points: Sequence[tuple[float, float]], scale: Scale, column: int) -> float:
    """Return the loss of the last rate that is not beyond a column."""
    reached = [loss for value, loss in points if scale.column(value) <= column]
    return reached[-1] if reached else points[0][1]


def _height(loss: float, low: float, high: float) -> int:
    """Return the height in eighths of a row; the lowest loss is still to be seen."""
    share = (min(loss, high) - low) / (high - low)
    return max(1, round(share * HEIGHT * 8))


def _marks(told: Figures) -> Iterator[tuple[str, float, float | None, str]]:
    if told["low"] is not None:
        yield "works", float(told["low"]), float(told["high"]), "green"
    if told["suggestion"] is not None:
        yield "try", float(told["suggestion"]), None, "bold green"
    if told["diverges"] is not None:
        yield "diverges", float(told["diverges"]), float(told["points"][-1]["rate"]), "red"
    if float(told["rate"]) > 0:
        yield "yours", float(told["rate"]), None, "bold"


def _short(loss: float) -> str:
    return "0" if abs(loss) < 1e-6 else f"{loss:.3g}"
