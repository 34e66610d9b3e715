"""What `check --fix` did and `check --diff` would do, above what is left to report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TextIO

from pipedoctor.report import Entry, Report
from pipedoctor.reporters import layout, text
from pipedoctor.reporters.layout import Line, wrapped
from pipedoctor.units import plural

if TYPE_CHECKING:
    from pipedoctor.fixing.plan import Draft

WIDEST = text.WIDEST
NAME = "fixes"


def with_fixes(
    report: Report,
    made: Sequence[Mapping[str, object]],
    refused: Sequence[Mapping[str, object]],
    **more: object,
) -> Report:
    """Return the report with what was done among its figures."""
    told = {"made": list(made), "refused": list(refused), **more}
    return replace(report, figures={**report.figures, NAME: (told,)})


def told(entry: Entry) -> dict[str, object]:
    """Return in plain data which fix of which finding it is."""
    fix = entry.finding.fix
    assert fix is not None, "only findings with a fix come here"
    return {"code": entry.rule.code, "name": entry.rule.name, "fix": fix.title, "safe": fix.safe}


def figures(report: Report) -> Mapping[str, Any]:
    """Return what was done, for the JSON report."""
    return report.figures[NAME][0]


def plain(report: Report, width: int = WIDEST) -> str:
    """Return the report as text without colour."""
    return text.joined(lines(report, width))


def write(report: Report, stream: TextIO, *, colour: bool, width: int) -> None:
    """Print the report, in colour if so wished."""
    text.write_lines(lines(report, width), stream, colour=colour, width=width)


def lines(report: Report, width: int) -> Iterator[Line]:
    """Yield the lines: what was fixed, what could not be, and the report of what remains."""
    fixed = figures(report)
    number = len(fixed["made"])
    verb = "would be fixed" if "diff" in fixed else "fixed"
    yield from wrapped(f"{report.target}: {plural(number, 'fault')} {verb}", "bold", 0, width)
    for one in fixed["made"]:
        yield from wrapped(f"{one['code']}  {one['fix']}", "", 2, width)
    for one in fixed["refused"]:
        told = f"{one['code']}  not fixed: {one['fix']}: {one['reason']}"
        yield from wrapped(told, "yellow", 2, width)
    yield []
    yield from layout.lines(report, width)


def diff(name: str, before: str, after: str, hidden: set[str]) -> str:
    """Return a unified diff of a file, without the texts that nobody else may see."""
    from difflib import unified_diff

    made = unified_diff(_lines(before), _lines(after), name, name)
    told = "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in made
    )
    for secret in sorted(hidden, key=len, reverse=True):
        told = told.replace(secret, "…")
    return told


def _lines(held: str) -> list[str]:
    """Split at line feeds, and nowhere else: as patch does."""
    *lines, last = held.split("\n")
    return [line + "\n" for line in lines] + ([last] if last else [])


def secrets_of(path: str) -> set[str]:
    """Return the passwords and tokens that the arguments of a config hold."""
    from pipedoctor.masking import secrets
    from pipedoctor.targets import resolve

    settings = resolve(path).parts.get("settings")
    return secrets(settings) if isinstance(settings, Mapping) else set()


def left(report: Report, draft: Draft, width: int) -> Iterator[Line]:
    """Yield the lines about the findings that a diff does not mend, and why it does not."""
    refused = {id(entry): why for entry, why in draft.refused}
    rest = [entry for entry in report.entries if entry not in draft.made]
    for entry in rest:
        yield from layout.finding(report, entry, width)
        why = refused.get(id(entry)) or _why(report, entry)
        yield from wrapped(f"not fixed: {why}", "", 2, width)
        yield []
    number = len(draft.made)
    yield from wrapped(f"{plural(number, 'fault')} would be fixed, {len(rest)} left", "", 0, width)


def _why(report: Report, entry: Entry) -> str:
    """Return why no fix of a finding was even tried."""
    fix = entry.finding.fix
    if fix is None:
        return "what to change is for you to decide"
    if report.fix(entry.finding) is None:
        return fix.obstacle or f"{fix.file or 'what states it'} is not the file examined"
    if id(fix) in report.refused:
        return report.refused[id(fix)]
    if not fix.safe:
        return "it changes more than how it is written; add --unsafe-fixes"
    return "another fault has the same fix"
