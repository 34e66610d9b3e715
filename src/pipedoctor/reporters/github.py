"""
Commands to the runner of GitHub Actions, which shows them beside the lines that they speak of.

What a command holds is escaped as the runner undoes it, so no text of a user's can become a
command of its own.
"""

from __future__ import annotations

import re

from pipedoctor.finding import Severity
from pipedoctor.report import Entry, Report, Status, every
from pipedoctor.reporters.layout import clean
from pipedoctor.reporters.together import Together, file_of, last_line

COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render(told: Together) -> str:
    """Return a command for each finding, then the verdict, which is none."""
    lines = []
    for report in told.reports:
        lines += [_finding(report, entry) for entry in every(report.entries)]
        for outcome in report.outcomes:
            if outcome.status is Status.CRASHED:
                title = f"{outcome.rule.code} {outcome.rule.name} crashed"
                text = "a bug in the check, not in your pipeline: " + last_line(outcome.reason)
                lines.append(command("warning", {"title": title}, text))
    lines += [command("notice", {"title": "pipedoctor"}, text) for text in told.problems]
    for name, sentence in told.unreadable:
        lines.append(command("error", {"file": name, "title": "can't be read"}, sentence))
    lines.append(f"pipedoctor: {clean(told.verdict)}")
    return "".join(line + "\n" for line in lines)


def _finding(report: Report, entry: Entry) -> str:
    found, file = entry.finding, file_of(report, entry.finding)
    properties: dict[str, object] = {}
    if file is not None:
        properties["file"] = file
        if found.where.file is not None and found.where.line is not None:
            properties["line"] = found.where.line
    properties["title"] = f"{entry.rule.code} {entry.rule.name}"
    return command(COMMANDS[entry.severity], properties, f"{found.message}\nfix: {found.remedy}")


def command(name: str, properties: dict[str, object], text: str) -> str:
    """Return one command, escaped."""
    told = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    return f"::{name} {told}::{_data(text)}"


def _data(text: str) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    # The other signs that steer a terminal, and those that some readers take for a line's end.
    return re.sub("[\u2028\u2029]", lambda match: ascii(match[0])[1:-1], clean(text))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
