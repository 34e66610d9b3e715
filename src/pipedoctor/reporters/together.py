"""What the formats for editors and CI servers have in common: several reports, told as one."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass

from pipedoctor.finding import Finding
from pipedoctor.report import Report, every
from pipedoctor.reporters import layout
from pipedoctor.units import plural


@dataclass(frozen=True)
class Together:
    """The reports on one or several targets; `unreadable` are others, each with one sentence."""

    reports: tuple[Report, ...]
    unreadable: tuple[tuple[str, str], ...] = ()

    @property
    def problems(self) -> list[str]:
        """The problems of all reports, each once."""
        return list(dict.fromkeys(text for report in self.reports for text in report.problems))

    @property
    def verdict(self) -> str:
        """The last line: of one target its own, of several how many are well."""
        if len(self.reports) == 1 and not self.unreadable:
            return layout.verdict(self.reports[0])
        states = Counter(map(_state, self.reports))
        told = [f"{number} {state}" for state, number in sorted(states.items(), reverse=True)]
        if self.unreadable:
            told.append(f"{len(self.unreadable)} can't be read")
        line = f"{plural(len(self.reports) + len(self.unreadable), 'target')}: {', '.join(told)}"
        found = Counter(e.severity for report in self.reports for e in every(report.entries))
        counts = [plural(found[level], str(level)) for level in sorted(found, reverse=True)]
        everything = tuple(one for report in self.reports for one in report.suppressed)
        accepted = layout.accepted(Report("", (), suppressed=everything))
        return " · ".join([line, *([", ".join(counts)] if counts else []), *accepted])


def _state(report: Report) -> str:
    if not report.ok():
        return "not ready"
    if report.cut:
        return "not settled"
    return "ready" if report.ready else "without error or warning so far"


def last_line(reason: str) -> str:
    """Return what a traceback ends with: the error itself."""
    return next(reversed(reason.strip().splitlines()), "")


def file_of(report: Report, finding: Finding) -> str | None:
    """Return the file to show a finding in: its own, else that of the target, if it is one."""
    file = finding.where.file
    if file is None and os.path.isfile(report.target):
        file = report.target
    return None if file is None else relative(file)


def relative(path: str) -> str:
    """Return a path as seen from the working directory if it lies below, with slashes."""
    whole, here = os.path.abspath(path), os.getcwd().rstrip(os.sep) + os.sep
    return whole.removeprefix(here).replace(os.sep, "/")
