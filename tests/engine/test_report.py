"""What a report says of itself: whether training may start, and what keeps it from that."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from engine.samples import rule

from pipedoctor import Finding, Outcome, Report, Severity, Status, serial
from pipedoctor.fact import Cost
from pipedoctor.options import UsageError

RUN = ({"fact": "Forward", "seconds": 0.1},)


def outcome(code: str = "LAB001", status: Status = Status.FOUND, **more: Any) -> Outcome:
    found = status is Status.FOUND or bool(more.pop("findings", False))
    findings = (Finding("one thing", "another"),) if found else ()
    return Outcome(rule(code), status, findings, **more)


def report(*outcomes: Outcome, **more: Any) -> Report:
    return Report("train.py", outcomes, **{"facts": RUN, **more})


def test_nothing_stands_in_the_way_of_what_is_ready() -> None:
    subject = report(outcome(status=Status.PASSED), outcome(status=Status.SKIPPED))
    assert subject.ready
    assert subject.obstacle() is None
    subject.assert_ready()


def test_a_finding_stands_in_the_way_from_its_severity_on() -> None:
    subject = report(outcome(), severities={"LAB001": Severity.WARNING})
    assert subject.obstacle() == "LAB001 fault-lab001: one thing"
    assert subject.obstacle(Severity.ERROR) is None
    subject.assert_ready("error")
    subject.assert_ready(Severity.ERROR)
    with pytest.raises(AssertionError) as caught:
        subject.assert_ready("warning")
    first, empty, *rest = str(caught.value).split("\n")
    assert (first, empty) == ("LAB001 fault-lab001: one thing", "")
    assert "\n".join(rest) == str(subject)


def test_what_was_blocked_stands_in_the_way_whatever_its_severity() -> None:
    subject = report(outcome(status=Status.BLOCKED, findings=True))
    assert subject.obstacle(Severity.ERROR) == "LAB001 fault-lab001: one thing"
    silent = report(outcome(status=Status.BLOCKED, reason="it raised"))
    assert silent.obstacle(Severity.ERROR) == "LAB001 fault-lab001 was blocked: it raised"


def test_so_does_a_crash_of_ours() -> None:
    subject = report(outcome(status=Status.CRASHED, reason="Traceback"))
    assert subject.obstacle() == "LAB001 fault-lab001 crashed, a bug in the check"


def test_a_model_that_was_not_run_is_not_ready() -> None:
    subject = report(outcome(status=Status.PASSED), facts=())
    assert subject.ok()
    assert subject.obstacle() == "the model was not run, so much can still be wrong"


def test_a_model_that_only_its_own_step_runs_was_run_by_that() -> None:
    assert report(outcome(status=Status.PASSED), facts=({"fact": "Gradients"},)).ready


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("facts", [(), RUN])
@pytest.mark.parametrize("fail_on", Severity)
def test_there_is_an_obstacle_just_where_it_is_not_ready(
    status: Status, facts: Any, fail_on: Severity
) -> None:
    subject = report(outcome(status=status), facts=facts)
    assert (subject.obstacle(fail_on) is None) == (subject.ok(fail_on) and subject.proven)


def test_a_severity_that_there_is_none_of() -> None:
    with pytest.raises(UsageError, match="'fatal' is no severity"):
        report().assert_ready("fatal")


def test_its_name_is_one_line_that_says_the_most() -> None:
    assert repr(report(outcome())) == "<Report of train.py: LAB001 fault-lab001: one thing>"
    assert repr(report()) == "<Report of train.py: ready>"


def test_a_report_survives_json() -> None:
    subject = report(
        outcome(over=Cost.DATA, partial=True, seconds=0.25),
        outcome("HYP003", Status.SKIPPED, reason="no data"),
        subject=("script",),
        plan=("3 steps",),
        problems=("a plugin",),
        figures={"Preview": ({"rows": [1, 2]},)},
        severities={"HYP003": Severity.NOTE},
        preview=True,
        verbose=True,
        cut="time ran out after 5 s",
        stored=True,
    )
    assert {f.name for f in dataclasses.fields(Report)} == set(serial.report(subject))
    data = json.loads(json.dumps(serial.report(subject)))
    rules = {told.rule.code: told.rule for told in subject.outcomes}
    assert serial.read_report(data, rules) == subject
