from __future__ import annotations

from engine.samples import (
    Harvest,
    Weather,
    nothing_grew,
    nothing_measured,
    too_cold,
    weather,
    windy,
)

from pipedoctor import Cost, Finding, Severity, Split, Stage, Status, Unavailable, check
from pipedoctor.probe import probe
from pipedoctor.runner import run, run_one


@check("TST005", Severity.ERROR, stage=Stage.DATA)
def has_a_bug(weather: Weather):
    """Crash."""
    yield Finding("before", "x")
    raise KeyError("bug")


def harvest(tons: dict[Split, int]):
    @probe(Harvest, Cost.DATA)
    def measure(pipeline, split):
        if split not in tons:
            raise Unavailable(f"no {split.value} field")
        return Harvest(tons[split])

    return measure


def test_cheap_checks_run_first() -> None:
    pipeline = nothing_measured(weather(cost=Cost.FORWARD), harvest({Split.TRAIN: 1}))
    order = [outcome.rule.code for outcome in run([too_cold, nothing_grew], pipeline)]
    assert order == ["TST002", "TST001"]


def test_a_check_passes_or_finds() -> None:
    assert run_one(too_cold, nothing_measured(weather(3)), {}).status is Status.PASSED
    outcome = run_one(too_cold, nothing_measured(weather(-3)), {})
    assert (outcome.status, outcome.findings[0].message) == (Status.FOUND, "-3 degrees")


def test_options_are_handed_over() -> None:
    outcome = run_one(too_cold, nothing_measured(weather(3)), {"limit": 4.0})
    assert outcome.status is Status.FOUND


def test_what_is_not_known_is_skipped_and_not_passed() -> None:
    outcome = run_one(too_cold, nothing_measured(), {})
    assert outcome.status is Status.SKIPPED
    assert outcome.reason == "nothing was given that tells the weather"


def test_what_is_over_the_budget_says_which_depth_would_reach_it() -> None:
    pipeline = nothing_measured(weather(cost=Cost.FORWARD), budget=Cost.DATA)
    outcome = run_one(too_cold, pipeline, {})
    assert (outcome.status, outcome.over) == (Status.SKIPPED, Cost.FORWARD)
    assert outcome.reason == "needs --depth forward"


def test_findings_before_something_unknown_are_kept() -> None:
    outcome = run_one(windy, nothing_measured(weather(3)), {})
    assert outcome.status is Status.FOUND
    assert outcome.partial
    assert [f.message for f in outcome.findings] == ["harvest unknown"]
    assert outcome.reason == "Weather.wind is not known"


def test_a_bug_in_one_check_does_not_cost_the_others() -> None:
    outcomes = list(run([has_a_bug, too_cold], nothing_measured(weather(3))))
    assert {o.rule.code: o.status for o in outcomes} == {
        "TST005": Status.CRASHED,
        "TST001": Status.PASSED,
    }


def test_what_the_users_code_raises_blocks() -> None:
    @probe(Weather, Cost.DATA, user_code=True)
    def fails(pipeline, split):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    outcome = run_one(too_cold, nothing_measured(fails), {})
    assert outcome.status is Status.BLOCKED
    assert outcome.reason == "RuntimeError: mat1 and mat2 shapes cannot be multiplied"


def test_a_check_runs_for_each_split_there_is() -> None:
    parts = {"train_data": [1], "eval_data": [1]}
    pipeline = nothing_measured(harvest({Split.TRAIN: 3, Split.EVAL: 0}), parts=parts)
    outcome = run_one(nothing_grew, pipeline, {})
    assert (outcome.status, len(outcome.findings)) == (Status.FOUND, 1)


def test_one_split_that_cannot_be_known_does_not_hide_the_other() -> None:
    parts = {"train_data": [1], "eval_data": [1]}
    pipeline = nothing_measured(harvest({Split.TRAIN: 3}), parts=parts)
    assert run_one(nothing_grew, pipeline, {}).status is Status.PASSED
    pipeline = nothing_measured(harvest({Split.EVAL: 0}), parts=parts)
    outcome = run_one(nothing_grew, pipeline, {})
    assert (outcome.status, outcome.partial) == (Status.FOUND, True)
