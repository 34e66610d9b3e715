"""The report for programs. The keys are a promise: they are added to, never renamed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from pipedoctor import __version__, serial
from pipedoctor.report import Report

if TYPE_CHECKING:
    from pipedoctor.reporters.together import Together

SCHEMA_VERSION = 1


def render(report: Report, figures: Mapping[str, object] | None = None) -> str:
    """Return the report as a JSON object, indented; `figures` are a verb's own, by its name."""
    return written(envelope(report, figures))


def envelope(report: Report, figures: Mapping[str, object] | None = None) -> dict[str, object]:
    """Return the report as plain data."""
    return {
        "schema_version": SCHEMA_VERSION,
        "pipedoctor": __version__,
        "target": report.target,
        "ready": report.ready,
        "cut": report.cut,
        "coverage": None if report.coverage is None else asdict(report.coverage),
        "findings": [serial.entry(entry) for entry in report.entries],
        "checks": [
            {
                "code": outcome.rule.code,
                "name": outcome.rule.name,
                "status": outcome.status.value,
                "reason": outcome.reason,
                "blocked_by": outcome.blocked_by,
                "partial": outcome.partial,
                "seconds": round(outcome.seconds, 4),
            }
            for outcome in report.outcomes
        ],
        "facts": serial.plain(report.facts),
        "problems": list(report.problems),
        "suppressed": [serial.suppressed(one) for one in report.suppressed],
        **serial.plain(figures or {}),
    }


def several(told: Together) -> str:
    """Return the envelopes of several reports in one; that of a single one stands for itself."""
    if len(told.reports) == 1 and not told.unreadable:
        return render(told.reports[0])
    return written(
        {
            "schema_version": SCHEMA_VERSION,
            "pipedoctor": __version__,
            "reports": [envelope(report) for report in told.reports],
            "unreadable": [{"target": name, "error": text} for name, text in told.unreadable],
        }
    )


def written(told: object) -> str:
    """Return data as the text of a JSON file."""
    text = json.dumps(told, indent=2, ensure_ascii=False) + "\n"
    # Half of a pair, as in a file name that is no UTF-8: as JSON writes it with an escape.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
