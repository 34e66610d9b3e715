"""Outcomes of several trainings, put together."""

from __future__ import annotations

from pipedoctor.finding import Finding, Location, Severity, Stage
from pipedoctor.report import Outcome, Rule, Status
from pipedoctor.several import together

RULE = Rule("LAB001", "label-out-of-range", Severity.ERROR, Stage.MODEL)


def outcome(status: Status, *messages: str) -> dict[str, Outcome]:
    found = tuple(Finding(message, "mend it", Location(column="label")) for message in messages)
    return {RULE.code: Outcome(RULE, status, found)}


def places(told: Outcome) -> list[tuple[str, int | None]]:
    return [(found.message, found.where.training) for found in told.findings]


def test_one_training_is_not_counted() -> None:
    told = together({1: outcome(Status.FOUND, "three labels")})
    assert places(told[RULE.code]) == [("three labels", None)]


def test_what_each_training_shows_is_told_once_for_the_first() -> None:
    told = together({1: outcome(Status.FOUND, "a"), 2: outcome(Status.FOUND, "a", "b")})
    assert places(told[RULE.code]) == [("a", 1), ("b", 2)]


def test_a_fault_of_the_second_training_is_found() -> None:
    told = together({1: outcome(Status.PASSED), 2: outcome(Status.FOUND, "b")})[RULE.code]
    assert (told.status, places(told)) == (Status.FOUND, [("b", 2)])


def test_what_passed_once_is_not_called_skipped() -> None:
    told = together({1: outcome(Status.PASSED), 2: outcome(Status.SKIPPED)})[RULE.code]
    assert told.status is Status.PASSED


def test_what_is_blocked_in_one_is_blocked() -> None:
    told = together({1: outcome(Status.PASSED), 2: outcome(Status.BLOCKED, "raised")})
    assert told[RULE.code].status is Status.BLOCKED
