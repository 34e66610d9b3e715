"""
JUnit's XML, as CI servers read it: a suite a target, a test case a check.

All signs beyond ASCII are written as references, so the encoding of the stream doesn't matter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipedoctor.finding import Severity
from pipedoctor.report import Entry, Outcome, Report, Status, every
from pipedoctor.reporters.text import plain_finding
from pipedoctor.reporters.together import Together, file_of, last_line, relative


@dataclass
class _Suite:
    """A suite in the making: its cases, and how many came to what."""

    name: str
    cases: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    )
    seconds: float = 0.0

    def add(self, attributes: Mapping[str, object], kind: str, inner: str) -> None:
        """Add a case; `kind` is the count that it belongs to, or empty if it passed."""
        case = {"classname": self.name, **attributes}
        self.counts["tests"] += 1
        if kind:
            self.counts[kind] += 1
        self.cases.append(f"    <testcase{_attributes(case)}>{inner}</testcase>\n")

    def text(self) -> str:
        """Return the element."""
        told = {"name": self.name, **self.counts, "time": f"{self.seconds:.3f}"}
        return f"  <testsuite{_attributes(told)}>\n{''.join(self.cases)}  </testsuite>\n"


def render(told: Together, fail_on: Severity = Severity.WARNING) -> str:
    """Return the reports; a finding milder than `fail_on` is told, but fails no test case."""
    suites = [_suite(report, fail_on) for report in told.reports]
    for name, sentence in told.unreadable:
        suite = _Suite(relative(name))
        inner = _element("error", "unreadable", sentence, sentence)
        suite.add({"name": "target can be read"}, "errors", inner)
        suites.append(suite)
    counts = {
        key: sum(suite.counts[key] for suite in suites)
        for key in ("tests", "failures", "errors", "skipped")
    }
    body = "".join(suite.text() for suite in suites)
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<testsuites{_attributes({'name': 'pipedoctor', **counts})}>\n{body}</testsuites>\n"
    )
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _suite(report: Report, fail_on: Severity) -> _Suite:
    suite = _Suite(relative(report.target))
    found: dict[str, list[Entry]] = {}
    for entry in every(report.entries):
        found.setdefault(entry.rule.code, []).append(entry)
    for outcome in report.outcomes:
        entries = found.get(outcome.rule.code, [])
        attributes: dict[str, object] = {"name": f"{outcome.rule.code} {outcome.rule.name}"}
        file = file_of(report, entries[0].finding) if entries else None
        if file is not None:
            attributes["file"] = file
            if entries[0].finding.where.line is not None:
                attributes["line"] = entries[0].finding.where.line
        attributes["time"] = f"{outcome.seconds:.3f}"
        suite.add(attributes, *_result(report, outcome, entries, fail_on))
        suite.seconds += outcome.seconds
    return suite


def _result(
    report: Report, outcome: Outcome, entries: list[Entry], fail_on: Severity
) -> tuple[str, str]:
    """Return the count that an outcome belongs to, and the element that tells of it."""
    if outcome.status is Status.CRASHED:
        return "errors", _element("error", "crashed", last_line(outcome.reason), outcome.reason)
    text = "\n".join(plain_finding(report, entry) for entry in entries)
    grave = [e for e in entries if e.status is Status.BLOCKED or e.severity >= fail_on]
    if grave:
        more = f" (and {len(entries) - 1} more)" if len(entries) > 1 else ""
        message = grave[0].finding.message + more
        return "failures", _element("failure", str(grave[0].severity), message, text)
    if entries:
        return "", f"<system-out>{_escape(text)}</system-out>"
    if outcome.status is Status.FOUND:
        mine = [one for one in report.suppressed if one.rule.code == outcome.rule.code]
        places = ", ".join(dict.fromkeys(f"{one.by} {one.place}" for one in mine))
        reason = f"ignored: {places}" if mine else "its findings are of low confidence"
        return "skipped", f"<skipped{_attributes({'message': reason})}/>"
    if outcome.status is Status.PASSED:
        return "", ""
    blocked = f"blocked by {outcome.blocked_by}: " if outcome.blocked_by else ""
    return "skipped", f"<skipped{_attributes({'message': blocked + outcome.reason})}/>"


def _element(tag: str, kind: str, message: str, text: str) -> str:
    return f"<{tag}{_attributes({'type': kind, 'message': message})}>{_escape(text)}</{tag}>"


def _attributes(told: Mapping[str, object]) -> str:
    return "".join(f' {name}="{_escape(str(value), quoted=True)}"' for name, value in told.items())


def _escape(text: str, *, quoted: bool = False) -> str:
    """Return a text as XML 1.0 can hold it; signs that it can't hold are told by their escapes."""
    text = re.sub(
        "[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]",
        lambda match: ascii(match[0])[1:-1],
        text,
    )
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = text.replace("\r", "&#13;")  # a bare one would be read as the end of a line
    if quoted:
        text = text.replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")
    return text
