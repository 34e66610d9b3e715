"""
One cause first: the order of the findings, and which are folded under which.

What was blocked comes first, since it is usually the answer; then by severity, then by the stage
of the pipeline. A consequence is folded under the cause that names its code in `explains`, if
nothing both of them state (split, rows, key, column, layer) contradicts that they are one. A
fault of the training data that the evaluation data has as well is one fault, told once.
"""

from __future__ import annotations

from dataclasses import replace

from pipedoctor.finding import Location
from pipedoctor.report import Entry, Report, Status


def rank(report: Report) -> tuple[Entry, ...]:
    """Return the report's findings, causes before consequences."""
    entries = [
        Entry(outcome.rule, finding, report.severity(outcome.rule, finding), outcome.status)
        for outcome in report.outcomes
        for finding in outcome.findings
        if report.shown(finding)
    ]
    entries.sort(key=_order)
    cause_of: dict[int, int] = {}
    for number, entry in enumerate(entries):
        for other, candidate in enumerate(entries):
            if _explains(candidate, entry) and number not in _chain(cause_of, other):
                cause_of[number] = other
                break
    return tuple(
        _with_consequences(entries, cause_of, number)
        for number in range(len(entries))
        if number not in cause_of
    )


def _chain(cause_of: dict[int, int], number: int) -> set[int]:
    """Return an entry and its causes: none of them may become its own consequence."""
    chain = {number}
    while number in cause_of:
        number = cause_of[number]
        chain.add(number)
    return chain


def _order(entry: Entry) -> tuple[bool, int, int, str]:
    return (
        entry.status is not Status.BLOCKED,
        -entry.severity,
        entry.rule.stage,
        entry.rule.code,
    )


def _explains(cause: Entry, effect: Entry) -> bool:
    return _likewise(cause, effect) or (
        effect.rule.code in cause.rule.explains
        and compatible(cause.finding.where, effect.finding.where)
    )


def _likewise(first: Entry, second: Entry) -> bool:
    """Whether the second is the first once more, in the evaluation data: one cure mends both."""
    return (
        first.rule.code == second.rule.code
        and (first.finding.where.split, second.finding.where.split) == ("train", "eval")
        and first.finding.where.key == second.finding.where.key
        and first.finding.where.column == second.finding.where.column
        and _cure(first) == _cure(second)
    )


def _cure(entry: Entry) -> str:
    """Return the remedy, as it would be for the training data."""
    return entry.finding.remedy.replace("eval_data", "train_data")


def compatible(one: Location, other: Location) -> bool:
    """Whether two places can be the same: nothing that both state differs."""
    pairs = [
        (one.split, other.split),
        (one.key, other.key),
        (one.column, other.column),
        (one.layer, other.layer),
        (one.training, other.training),
    ]
    if any(a is not None and b is not None and a != b for a, b in pairs):
        return False
    return not one.rows or not other.rows or bool(set(one.rows) & set(other.rows))


def _with_consequences(entries: list[Entry], cause_of: dict[int, int], number: int) -> Entry:
    folded = tuple(
        _with_consequences(entries, cause_of, effect)
        for effect, cause in cause_of.items()
        if cause == number
    )
    return replace(entries[number], folded=folded)
