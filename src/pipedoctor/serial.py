"""
Outcomes and findings as plain data, and back: for the child process and for the JSON report.

The keys are a promise: they are added to, never renamed.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from pipedoctor import fix
from pipedoctor.fact import Cost
from pipedoctor.finding import Confidence, Finding, Location, Severity
from pipedoctor.report import Entry, Outcome, Report, Rule, Status, Suppressed


def location(where: Location) -> dict[str, Any]:
    """Return a place as plain data."""
    return {
        "file": where.file,
        "line": where.line,
        "key": where.key,
        "column": where.column,
        "layer": where.layer,
        "split": where.split,
        "rows": list(where.rows),
        "source": where.source,
        "origin": where.origin,
        "training": where.training,
    }


def finding(found: Finding) -> dict[str, Any]:
    """Return a finding as plain data, as it was given, without its rule."""
    return {
        "message": found.message,
        "remedy": found.remedy,
        "alternatives": list(found.alternatives),
        "shows": list(found.shows),
        "where": location(found.where),
        "evidence": plain(found.evidence),
        "severity": found.severity.name if found.severity is not None else None,
        "confidence": found.confidence.value,
        "fix": found.fix.plain() if found.fix is not None else None,
    }


def read_finding(data: Mapping[str, Any]) -> Finding:
    """Undo `finding`."""
    where = dict(data["where"])
    return Finding(
        message=data["message"],
        remedy=data["remedy"],
        alternatives=tuple(data["alternatives"]),
        shows=tuple(data["shows"]),
        where=Location(**where | {"rows": tuple(where["rows"])}),
        evidence=data["evidence"],
        severity=Severity[data["severity"]] if data["severity"] else None,
        confidence=Confidence(data["confidence"]),
        fix=fix.read(data["fix"]),
    )


def outcome(told: Outcome) -> dict[str, Any]:
    """Return an outcome as plain data."""
    return {
        "code": told.rule.code,
        "status": told.status.value,
        "findings": [finding(found) for found in told.findings],
        "reason": told.reason,
        "blocked_by": told.blocked_by,
        "partial": told.partial,
        "over": told.over.name if told.over is not None else None,
        "seconds": round(told.seconds, 4),
    }


def read_outcome(data: Mapping[str, Any], rule: Rule) -> Outcome:
    """Undo `outcome`; the rule is the one of its code."""
    return Outcome(
        rule,
        Status(data["status"]),
        tuple(read_finding(found) for found in data["findings"]),
        data["reason"],
        data["blocked_by"],
        partial=data["partial"],
        over=Cost[data["over"]] if data["over"] else None,
        seconds=data["seconds"],
    )


def report(made: Report) -> dict[str, Any]:
    """Return a report as plain data."""
    return {
        "target": made.target,
        "outcomes": [outcome(told) for told in made.outcomes],
        "subject": list(made.subject),
        "plan": list(made.plan),
        "facts": plain(made.facts),
        "problems": list(made.problems),
        "figures": plain(made.figures),
        "severities": {code: level.name for code, level in made.severities.items()},
        "preview": made.preview,
        "verbose": made.verbose,
        "stored": made.stored,
        "cut": made.cut,
        "suppressed": [
            {
                "code": one.rule.code,
                "finding": finding(one.finding),
                "severity": one.severity.name,
                "by": one.by,
                "place": one.place,
                "reason": one.reason,
            }
            for one in made.suppressed
        ],
    }


def read_report(data: Mapping[str, Any], rules: Mapping[str, Rule]) -> Report:
    """Undo `report`; the rules are those of all codes."""
    return Report(
        target=data["target"],
        outcomes=tuple(read_outcome(told, rules[told["code"]]) for told in data["outcomes"]),
        subject=tuple(data["subject"]),
        plan=tuple(data["plan"]),
        facts=tuple(data["facts"]),
        problems=tuple(data["problems"]),
        figures={name: tuple(entries) for name, entries in data["figures"].items()},
        severities={code: Severity[name] for code, name in data["severities"].items()},
        preview=data["preview"],
        verbose=data["verbose"],
        stored=data["stored"],
        cut=data.get("cut", ""),
        suppressed=tuple(
            Suppressed(
                rules[one["code"]],
                read_finding(one["finding"]),
                Severity[one["severity"]],
                one["by"],
                one["place"],
                one["reason"],
            )
            for one in data["suppressed"]
        ),
    )


def suppressed(one: Suppressed) -> dict[str, Any]:
    """Return a finding that the user has accepted, as the JSON report shows it."""
    return {
        "code": one.rule.code,
        "name": one.rule.name,
        "severity": str(one.severity),
        "message": one.finding.message,
        "where": location(one.finding.where),
        "by": one.by,
        "place": one.place,
        "reason": one.reason,
    }


def entry(ranked: Entry) -> dict[str, Any]:
    """Return a finding in its place in the report, as the JSON report shows it."""
    found = ranked.finding
    return {
        "code": ranked.rule.code,
        "name": ranked.rule.name,
        "severity": str(ranked.severity),
        "message": found.message,
        "where": location(found.where),
        "evidence": plain(found.evidence),
        "remedy": found.remedy,
        "alternatives": list(found.alternatives),
        "shows": list(found.shows),
        "explains": sorted(ranked.rule.explains),
        "status": ranked.status.value,
        "confidence": found.confidence.value,
        "split": found.where.split,
        "folded": [entry(consequence) for consequence in ranked.folded],
        "fix": found.fix.plain() if found.fix is not None else None,
    }


def plain(value: Any) -> Any:
    """Return evidence as data that JSON holds; what it can't hold becomes text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset, range)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not isfinite(value):
        return str(value)  # JSON has no NaN and no infinity
    if value is None or isinstance(value, (str, int, float)):
        return value
    single = getattr(value, "item", None)  # a number of numpy or torch
    return plain(single()) if callable(single) and getattr(value, "ndim", 1) == 0 else str(value)
