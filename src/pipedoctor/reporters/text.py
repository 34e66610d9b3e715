"""The report for people: plain text, or in colour on a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from pipedoctor.report import Entry, Report
from pipedoctor.reporters.layout import Line, finding, lines

WIDEST = 100
"""Longer lines are hard to read, however wide the window."""

ASCII = str.maketrans(
    {
        "✗": "x",
        "✓": "v",
        "·": "-",
        "│": "|",
        "…": "...",
        "█": "#",
        "─": "-",
        "━": "=",
        "●": "*",
        "○": "o",
    }
    | dict(zip("▁▂▃▄▅▆▇", "..:::##", strict=True))
)


def plain(report: Report, width: int = 100) -> str:
    """Return the report as text without colour."""
    return joined(lines(report, width))


def plain_finding(report: Report, entry: Entry, width: int = 100) -> str:
    """Return one finding of the report as text without colour."""
    return joined(finding(report, entry, width))


def joined(told: Iterable[Line]) -> str:
    """Return lines as text without colour."""
    return "".join("".join(text for text, _ in line).rstrip() + "\n" for line in told)


def write(report: Report, stream: TextIO, *, colour: bool, width: int) -> None:
    """Print the report, in colour if so wished."""
    write_lines(lines(report, width), stream, colour=colour, width=width)


def write_lines(told: Iterable[Line], stream: TextIO, *, colour: bool, width: int) -> None:
    """Print lines, in colour if so wished; an encoding without our signs gets plain ones."""
    if not colour:
        text, encoding = joined(told), encoding_of(stream)
        try:
            text.encode(encoding)
        except UnicodeEncodeError:
            text = text.translate(ASCII).encode(encoding, "backslashreplace").decode(encoding)
        stream.write(text)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, force_terminal=True, width=width, highlight=False)
    for line in told:
        console.print(Text.assemble(*line), soft_wrap=True)


def encoding_of(stream: TextIO) -> str:
    """Return how a stream encodes; one that keeps text as it is, such as StringIO, can hold all."""
    return getattr(stream, "encoding", None) or "utf-8"
