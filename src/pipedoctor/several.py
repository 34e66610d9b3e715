"""The outcomes of several trainings of one script, put together check by check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pipedoctor.finding import Finding
from pipedoctor.report import Outcome, Status

GRAVEST = (Status.CRASHED, Status.FOUND, Status.BLOCKED, Status.PASSED, Status.SKIPPED)
"""What becomes of a check that ended in different ways: it counts as passed if it once did."""


def together(trainings: Mapping[int, Mapping[str, Outcome]]) -> dict[str, Outcome]:
    """
    Return one outcome a check, from those of each training.

    Where there were several trainings, a finding says which it was met in; one that is met in
    each of them is told once, for the first.
    """
    told: dict[str, Outcome] = {}
    for number, outcomes in sorted(trainings.items()):
        for code, outcome in outcomes.items():
            marked = _marked(outcome, number) if len(trainings) > 1 else outcome
            told[code] = _joined(told[code], marked) if code in told else marked
    return told


def _marked(outcome: Outcome, number: int) -> Outcome:
    findings = (replace(f, where=replace(f.where, training=number)) for f in outcome.findings)
    return replace(outcome, findings=tuple(findings))


def _joined(before: Outcome, outcome: Outcome) -> Outcome:
    first = min(before, outcome, key=lambda one: GRAVEST.index(one.status))
    known = {_unmarked(found) for found in before.findings}
    new = [found for found in outcome.findings if _unmarked(found) not in known]
    return replace(
        first,
        findings=(*before.findings, *new),
        partial=before.partial or outcome.partial,
        seconds=before.seconds + outcome.seconds,
    )


def _unmarked(found: Finding) -> tuple[object, ...]:
    return found.message, found.remedy, replace(found.where, training=None)
