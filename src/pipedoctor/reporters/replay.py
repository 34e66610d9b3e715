"""A step that was run again, for people: the story of `nan-trace`, and what became of the step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TextIO

from pipedoctor.failures import of_one_line
from pipedoctor.report import Report
from pipedoctor.reporters import nan_trace, text
from pipedoctor.reporters.layout import Line, clean

WIDEST = nan_trace.WIDEST

figures = nan_trace.figures


def plain(report: Report, width: int = 100) -> str:
    """Return the report as text without colour."""
    return text.joined(lines(report, width))


def write(report: Report, stream: TextIO, *, colour: bool, width: int) -> None:
    """Print the report, in colour if so wished."""
    text.write_lines(lines(report, width), stream, colour=colour, width=width)


def lines(report: Report, width: int = 100) -> Iterator[Line]:
    """Yield the lines of the report for a page of this width."""
    yield from nan_trace.lines(report, width, verdict(figures(report), report))


def verdict(told: Mapping[str, Any], report: Report) -> str:
    """Return the last line."""
    if not told or "unavailable" in told:
        reason = told.get("unavailable", "nothing was measured")
        return f"Not replayed: {clean(of_one_line(str(reason)))}"
    if told["finite"]:
        if "mended" in report.subject:
            return f"Cured: step {told['step']} is finite with {report.target}"
        return (
            f"Step {told['step']} is finite in this replay: what spoilt it did not come up again"
        )
    if not told["reproduced"]:
        return f"Step {told['step']} is not finite, but was when its operations were looked at"
    origin = told["origin"]
    name = origin["operation"] or origin["name"]
    again = "Not cured" if "mended" in report.subject else "Reproduced"
    return f"{again}: step {told['step']}, {origin['what']} from {name}"
