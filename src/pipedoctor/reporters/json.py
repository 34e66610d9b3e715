"""The report for programs. The keys are a promise: they are added to, never renamed."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pipedoctor import __version__, serial
from pipedoctor.report import Report

SCHEMA_VERSION = 1


def render(report: Report, figures: Mapping[str, object] | None = None) -> str:
    """Return the report as a JSON object, indented; `figures` are a verb's own, by its name."""
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
        **serial.plain(figures or {}),
    }
    text = json.dumps(envelope, indent=2, ensure_ascii=False) + "\n"
    # Half of a pair, as in a file name that is no UTF-8: as JSON writes it with an escape.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
