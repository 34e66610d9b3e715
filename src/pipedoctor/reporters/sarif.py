"""
SARIF 2.1.0, the format of code scanning: results, the pages of their rules, and what is accepted.

A result's fingerprint does not depend on its line or its figures, so it stays the same result
when code above it is changed.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from pipedoctor import __version__, serial
from pipedoctor.finding import Finding, Severity
from pipedoctor.ignoring.fingerprint import fingerprint
from pipedoctor.report import Entry, Report, Rule, Status
from pipedoctor.reporters.together import Together, file_of

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)

MARKS = ("pipedoctorFinding/v1", "primaryLocationLineHash")
"""
The names of our fingerprint: its own, whose number changes if its making does, and the only one
that GitHub's code scanning looks at.
"""


def render(told: Together, pages: Mapping[str, str] | None = None) -> str:
    """Return one run of the tool; `pages` are those of the manual, by the codes of their rules."""
    results: list[dict[str, Any]] = []
    rules: dict[str, Rule] = {}
    for report in told.reports:
        seen: Counter[tuple[str | None, str]] = Counter()
        for entry, cause in _flat(report.entries):
            rules[entry.rule.code] = entry.rule
            result = _result(report, entry.rule, entry.finding, entry.severity, seen)
            if cause is not None:
                result["properties"]["consequenceOf"] = cause
            results.append(result)
        for one in report.suppressed:
            rules[one.rule.code] = one.rule
            result = _result(report, one.rule, one.finding, one.severity, seen)
            kind = "inSource" if one.by == "comment" else "external"
            why = f"{one.by} {one.place}{': ' + one.reason if one.reason else ''}"
            result["suppressions"] = [{"kind": kind, "status": "accepted", "justification": why}]
            results.append(result)
    order = sorted(rules)
    for result in results:
        result["ruleIndex"] = order.index(result["ruleId"])
    driver = {
        "name": "pipedoctor",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_rule(rules[code], (pages or {}).get(code)) for code in order],
    }
    run = {"tool": {"driver": driver}, "invocations": [_invocation(told)], "results": results}
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(_whole(document), indent=1) + "\n"


def _flat(
    entries: Iterable[Entry], cause: str | None = None
) -> Iterable[tuple[Entry, str | None]]:
    for entry in entries:
        yield entry, cause
        yield from _flat(entry.folded, entry.rule.code)


def _rule(rule: Rule, page: str | None) -> dict[str, Any]:
    text = (page or "").strip() or rule.name.replace("-", " ")
    summary = " ".join(text.partition("\n\n")[0].split())
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": summary},
        "fullDescription": {"text": summary},
        "help": {"text": text, "markdown": text},
        "defaultConfiguration": {"level": str(rule.severity)},
        "properties": {
            "tags": [rule.stage.name.lower()],
            "problem.severity": "recommendation"
            if rule.severity is Severity.NOTE
            else str(rule.severity),
        },
    }


def _result(
    report: Report,
    rule: Rule,
    found: Finding,
    level: Severity,
    seen: Counter[tuple[str | None, str]],
) -> dict[str, Any]:
    file, where = file_of(report, found), found.where
    mark = fingerprint(rule.code, found)
    seen[file, mark] += 1
    mark = f"{mark}:{seen[file, mark]}"
    told = {
        "target": report.target,
        "remedy": found.remedy,
        "alternatives": list(found.alternatives),
        "shows": list(found.shows),
        "evidence": serial.plain(found.evidence),
        "rows": list(where.rows),
        "split": where.split,
        "origin": where.origin,
    }
    return {
        "ruleId": rule.code,
        "level": str(level),
        "message": {"text": f"{found.message}. Fix: {found.remedy}"},
        "locations": _locations(file, found),
        "partialFingerprints": dict.fromkeys(MARKS, mark),
        "properties": {name: value for name, value in told.items() if value not in (None, [], {})},
    }


def _locations(file: str | None, found: Finding) -> list[dict[str, Any]]:
    where = found.where
    location: dict[str, Any] = {}
    if file is not None:
        physical: dict[str, Any] = {"artifactLocation": _artifact(file)}
        if where.file is not None and where.line is not None:
            physical["region"] = {"startLine": max(1, where.line)}
            if where.source:
                physical["region"]["snippet"] = {"text": where.source}
        location["physicalLocation"] = physical
    named = {"member": where.key, "object": where.column, "module": where.layer}
    logical = [{"name": name, "kind": kind} for kind, name in named.items() if name]
    if logical:
        location["logicalLocations"] = logical
    return [location] if location else []


def _artifact(file: str) -> dict[str, str]:
    # Bytes that are no UTF-8 stand in a name as halves of pairs; other halves name no file.
    name = re.sub("[\ud800-\udc7f\udd00-\udfff]", "\ufffd", file)
    address = quote(name.encode("utf-8", "surrogateescape"))
    if os.path.isabs(file):
        return {"uri": f"file://{address}"}
    # A colon in the first folder would make it look like the scheme of an address.
    return {"uri": address.replace(":", "%3A"), "uriBaseId": "%SRCROOT%"}


def _invocation(told: Together) -> dict[str, Any]:
    """Return what went wrong on our side, and which targets could not be read."""
    notes = []
    crashed = False
    for report in told.reports:
        for outcome in report.outcomes:
            if outcome.status is Status.CRASHED:
                crashed = True
                text = f"{report.target}: {outcome.rule.code} {outcome.rule.name} crashed"
                notes.append(("error", f"{text}: {outcome.reason.strip()}"))
        notes += [("note", f"{report.target}: {problem}") for problem in report.problems]
    notes += [("error", f"{name}: {sentence}") for name, sentence in told.unreadable]
    return {
        "executionSuccessful": not crashed and not told.unreadable,
        "toolExecutionNotifications": [
            {"level": level, "message": {"text": text}} for level, text in notes
        ],
    }


def _whole(value: Any) -> Any:
    """Return data with a sign of replacement for each half of a pair, which strict readers refuse."""
    if isinstance(value, str):
        return re.sub("[\ud800-\udfff]", "\ufffd", value)
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return value
