"""
What `pipedoctor plan` draws: curves, and marks on a line of time.

A chart has so many columns, each for some steps; where there are more columns than steps, a step
has several. Everything is one character wide, and `text.ASCII` has a plain sign for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pipedoctor.facts.schedule import Marks
from pipedoctor.reporters.layout import Line
from pipedoctor.units import count, plural

BLOCKS = " ▁▂▃▄▅▆▇█"

LABEL = 18
"""The columns that stand before each chart, for what it shows and its scale."""

LEAST = 4
"""An epoch that is narrower than this has no room for its number."""


def label(text: str, style: str = "") -> tuple[str, str]:
    """Return the piece before a chart."""
    return (f"{text[: LABEL - 1]:>{LABEL - 1}} ", style)


def column(step: int, total: int, columns: int) -> int:
    """Return the column that a step ends in."""
    return -(-step * columns // total) - 1


def steps(place: int, total: int, columns: int) -> tuple[int, int]:
    """Return the first and the last step of a column."""
    first = place * total // columns + 1
    return first, max(first, (place + 1) * total // columns)


def curve(values: Sequence[float], height: int, top: float) -> Iterator[str]:
    """Yield the rows of a curve, the highest first; what is above 0 is never drawn as nothing."""
    eighths = [max(1, round(v / top * height * 8)) if v > 0 and top > 0 else 0 for v in values]
    for row in range(height - 1, -1, -1):
        yield "".join(BLOCKS[min(8, max(0, e - row * 8))] for e in eighths)


def marks(of: Marks, columns: int, sign: Callable[[int], str] = lambda _step: "●") -> str:
    """
    Return a line with a sign for each mark, by its step; where two meet, their number.

    Where they are as dense as the columns, the line says in words how often they come.
    """
    if len(of) > columns:
        return solid(f"every {plural(of.every, 'step')}", columns)
    told = ""
    for place in range(columns):
        first, last = steps(place, of.total, columns)
        # A step that has several columns is drawn in the last of them.
        number = of.until(last) - of.until(first - 1)
        if number == 1 and column(last, of.total, columns) == place:
            told += sign(last)
        elif number > 1:
            told += str(number)
        else:
            told += "─"
    return told


def epochs(each: int, total: int, columns: int) -> str:
    """Return a line with the ends of the epochs, and their numbers where there is room."""
    number = -(-total // each)
    if number * LEAST > columns:
        return solid(f"every {plural(each, 'step')}", columns)
    cells = ["─"] * columns
    begin = 0
    for epoch in range(1, number + 1):
        end = column(min(epoch * each, total), total, columns)
        name = f" {epoch} "
        if end - begin >= len(name):
            middle = begin + (end - begin - len(name)) // 2
            cells[middle : middle + len(name)] = name
        cells[end] = "│"
        begin = end + 1
    return "".join(cells)


def solid(words: str, columns: int) -> str:
    """Return a thick line with some words in its middle, if they fit."""
    words = f" {words} "
    return f"{words if len(words) <= columns else '':━^{columns}}"


def axis(total: int, columns: int) -> str:
    """Return a line with the numbers of some steps, each below its column; the last one always."""
    last = count(total)
    if len(last) > columns:
        return ""
    told = " " * (columns - len(last)) + last
    each = _round(total * (len(last) + 3) / columns)
    for step in range(each, total, each):
        name = count(step)
        begin = column(step, total, columns) - len(name) + 1
        room = told[max(0, begin - 2) : begin + len(name) + 2]
        if begin >= 0 and not room.strip():
            told = told[:begin] + name + told[begin + len(name) :]
    return told


def _round(number: float) -> int:
    """Return the least of 1, 2, 5, 10, 20, 50 ... that is not below a number."""
    power = 1
    while True:
        for digit in (1, 2, 5):
            if digit * power >= number:
                return digit * power
        power *= 10


def line(name: str, drawn: str, style: str = "") -> Line:
    """Return a line of a chart behind its label."""
    return [label(name), (drawn, style)]
