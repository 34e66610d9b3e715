"""
The environment of a training, for people: `pipedoctor env`.

One paragraph for each thing that is looked at, with a mark before it: [✓] nothing was found,
[!] a warning, [✗] an error, [·] only a note, [-] it could not be looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TextIO

from pipedoctor.finding import Severity
from pipedoctor.report import Entry, Report, Status, every
from pipedoctor.reporters import layout, text
from pipedoctor.reporters.environment_rows import SECTIONS, Section
from pipedoctor.reporters.layout import Line, clean, wrapped
from pipedoctor.units import plural

Figures = Mapping[str, Any]

WIDEST = 100

MARKS = {Severity.ERROR: "✗", Severity.WARNING: "!", Severity.NOTE: "·"}
STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.NOTE: "bold cyan"}
INDENT = 4


def plain(report: Report, width: int = 100) -> str:
    """Return the report as text without colour."""
    return text.joined(lines(report, width))


def write(report: Report, stream: TextIO, *, colour: bool, width: int) -> None:
    """Print the report, in colour if so wished."""
    text.write_lines(lines(report, width), stream, colour=colour, width=width)


def figures(report: Report) -> dict[str, Any]:
    """Return what is shown, as the JSON report has it."""
    return {
        name: dict(entries[0])
        for name, entries in report.figures.items()
        if entries and entries[0]
    }


def lines(report: Report, width: int = 100) -> Iterator[Line]:
    """Yield the lines of the report for a page of this width; the last one is the verdict."""
    told = figures(report)
    left = list(report.entries)
    for section in SECTIONS:
        mine = [entry for entry in left if entry.rule.code in section.codes]
        left = [entry for entry in left if entry not in mine]
        yield from _section(report, section, told, mine, width)
    if left:
        yield [(f"[{_mark(left)}] ", _style(left)), ("More", "bold")]
        for entry in left:
            yield from _finding(report, entry, width)
    for outcome in report.outcomes:
        if outcome.status is Status.CRASHED:
            yield from layout.crash(outcome, width)
    for problem in report.problems:
        yield from wrapped(f"pipedoctor: {problem}", "yellow", 0, width)
    yield []
    yield from wrapped(_verdict(report), "bold green" if report.ok() else "bold", 0, width)


def _section(
    report: Report, section: Section, told: Figures, mine: list[Entry], width: int
) -> Iterator[Line]:
    fact = told.get(section.fact, {})
    lacking = fact.get("unavailable")
    if lacking is not None:
        mark, style = ("-", "dim") if not mine else (_mark(mine), _style(mine))
        yield [(f"[{mark}] ", style), (section.name, "bold")]
        yield from wrapped(clean(str(lacking)), "dim", INDENT, width)
    else:
        head, *rows = section.rows(fact)
        mark, style = ("✓", "green") if not mine else (_mark(mine), _style(mine))
        title: Line = [(f"[{mark}] ", style), (section.name, "bold")]
        whole = len(section.name) + len(head) + 7 <= width
        yield [*title, (clean(f" · {head}"), "")] if whole else title
        for row in rows if whole else (head, *rows):
            yield from wrapped(clean(row), "dim", INDENT, width)
    for entry in mine:
        yield from _finding(report, entry, width)


def _finding(report: Report, entry: Entry, width: int) -> Iterator[Line]:
    """Yield a finding under its section: the mark, what is wrong, and what to do."""
    for line in layout.finding(report, entry, width - INDENT):
        yield [(" " * INDENT, ""), *line] if line else []


def _mark(entries: list[Entry]) -> str:
    return MARKS[max(entry.severity for entry in entries)]


def _style(entries: list[Entry]) -> str:
    return STYLES[max(entry.severity for entry in entries)]


def _verdict(report: Report) -> str:
    levels = [entry.severity for entry in every(report.entries)]
    counts = [
        plural(levels.count(level), str(level)) for level in sorted(set(levels), reverse=True)
    ]
    passed = f"{plural(report.count(Status.PASSED), 'check')} passed"
    skipped = layout.skipped(report)
    told = [*counts, passed, *([skipped] if skipped else []), *layout.accepted(report)]
    grave = [level for level in levels if level > Severity.NOTE]
    return (
        f"{'Something is wrong' if grave else 'Nothing is wrong that was looked for'}: "
        + " · ".join(told)
    )
