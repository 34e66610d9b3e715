"""The report for programs. The keys are a promise: they are added to, never renamed."""

from __future__ import annotations

import json

from pipedoctor import __version__, serial
from pipedoctor.report import Report

SCHEMA_VERSION = 1


def render(report: Report) -> str:
    """Return the report as a JSON object, indented."""
    envelope = {
        "schema_version": SCHEMA_VERSION,
        "pipedoctor": __version__,
        "target": report.target,
        "ready": report.ready,
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
    }
    return json.dumps(envelope, indent=2, ensure_ascii=False) + "\n"
