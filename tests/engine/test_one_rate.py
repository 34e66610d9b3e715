"""Whoever looks for a rate to set comes to the same one."""

from __future__ import annotations

import pytest

from pipedoctor.facts.range_test import FOUND, INCONCLUSIVE
from pipedoctor.finding import NOWHERE, Finding, Severity, Stage
from pipedoctor.fix import Fix, put
from pipedoctor.one_rate import advised, agreeing
from pipedoctor.report import Outcome, Report, Rule, Status
from pipedoctor.usual_rates import Subject, lookup, usual

USUAL = {"low": 1e-5, "high": 5e-5, "first": 2e-5}


def finding(remedy: str, rate: float = 2e-5) -> Finding:
    return Finding(
        message="The learning rate is too high",
        remedy=remedy,
        where=NOWHERE,
        evidence={},
        fix=Fix(remedy, (put("learning_rate", rate),), safe=False, file="c.yaml"),
    )


def report(remedy: str, code: str = "HYP001", **test: object) -> Report:
    rule = Rule(code, "x", Severity.WARNING, Stage.ARGUMENTS)
    figures = {"RangeTest": ({"outcome": FOUND, **test},), "UsualRates": (USUAL,)}
    return Report("c.yaml", (Outcome(rule, Status.FOUND, (finding(remedy),)),), figures=figures)


@pytest.mark.parametrize(
    ("suggestion", "rate"), [(3e-5, 3e-5), (4e-4, 4e-4), (1e-3, 2e-5), (1e-7, 2e-5)]
)
def test_the_trials_decide_within_ten_times_what_is_usual(suggestion: float, rate: float) -> None:
    assert advised({"outcome": FOUND, "suggestion": suggestion}, USUAL) == rate
    assert advised({"outcome": FOUND, "suggestion": suggestion}, {}) == suggestion


def test_without_a_suggestion_there_is_none() -> None:
    assert advised({"outcome": INCONCLUSIVE, "suggestion": None}, USUAL) is None
    assert advised({}, USUAL) is None


@pytest.mark.parametrize(
    ("remedy", "told"),
    [
        ('set "learning_rate": 2.0e-5', 'set "learning_rate": 4.0e-5'),
        ("set learning_rate=2.0e-5", "set learning_rate=4.0e-5"),
        ("set learning_rate: 0.001 or lower", "set learning_rate: 4.0e-5"),
        ("set learning_rate: 2.0e-5, if that is what was meant", "set learning_rate: 4.0e-5"),
    ],
)
def test_the_remedies_of_the_checks_follow(remedy: str, told: str) -> None:
    made = agreeing(report(remedy, suggestion=4e-5))
    (one,) = made.outcomes[0].findings
    assert one.remedy == f"{told}, the rate that the trials on this pipeline come to"
    assert one.fix is not None
    assert [edit.value for edit in one.fix.edits] == [4e-5]


def test_other_checks_and_reports_without_trials_stay() -> None:
    other = report("set warmup_steps: 100", "HYP003", suggestion=4e-5)
    assert agreeing(other).outcomes == other.outcomes
    open_ = report("set learning_rate: 2.0e-5", outcome=INCONCLUSIVE, suggestion=None)
    assert agreeing(open_) is open_


@pytest.mark.parametrize("batch", [4, 8, 16, 32, 64, 128])
def test_usual_batches_have_the_rates_of_the_source(batch: int) -> None:
    found, row = lookup(Subject("bert", 110_000_000, batch=batch)), usual("bert", 110_000_000)
    assert found is not None
    assert row is not None
    assert (found.first, found.high, found.scaled) == (row.first, row.high, 1.0)


def test_far_from_them_rates_go_with_the_root_and_have_two_digits() -> None:
    large = lookup(Subject("bert", 110_000_000, batch=2048))
    assert large is not None
    assert (large.scaled, large.first) == (4.0, 8e-5)
    small = lookup(Subject("bert", 110_000_000, batch=1))
    assert small is not None
    assert (small.scaled, small.first) == (0.5, 1e-5)
