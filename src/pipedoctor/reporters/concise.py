"""A line for each finding, as editors and eyes that scan logs read them; the verdict is the last."""

from __future__ import annotations

from collections.abc import Iterator

from pipedoctor.report import Entry, Report
from pipedoctor.reporters.layout import clean
from pipedoctor.reporters.together import Together, file_of


def render(told: Together) -> str:
    """Return `file:line: CODE message [fix: …]` for each finding, then the verdict."""
    lines = [line for report in told.reports for line in _lines(report, report.entries)]
    lines += [f"pipedoctor: {text}" for text in told.problems]
    for name, sentence in told.unreadable:
        lines.append(sentence if sentence.startswith(name) else f"{name}: {sentence}")
    return "".join(clean(line) + "\n" for line in [*lines, told.verdict])


def _lines(report: Report, entries: tuple[Entry, ...], cause: str = "") -> Iterator[str]:
    for entry in entries:
        found, line = entry.finding, entry.finding.where.line
        place = file_of(report, found) or report.target
        if line is not None and found.where.file is not None:
            place += f":{line}"
        because = f" (because of {cause})" if cause else ""
        yield f"{place}: {entry.rule.code} {found.message}{because} [fix: {found.remedy}]"
        yield from _lines(report, entry.folded, entry.rule.code)
