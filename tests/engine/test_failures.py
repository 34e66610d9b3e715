from __future__ import annotations

import sys

import pytest
from engine.samples import Weather, nothing_grew, nothing_measured, rule, too_cold, windy

from pipedoctor import Cost, Finding, Status
from pipedoctor.failures import attribute, user_frame
from pipedoctor.probe import probe
from pipedoctor.registry import Row
from pipedoctor.report import Outcome
from pipedoctor.runner import rule_of, run_one


def row(check) -> Row:
    return Row(rule_of(check), "", (), {}, dict(check.symptoms), "", "")


def burns(text: str):
    @probe(Weather, Cost.DATA, user_code=True)
    def measure(pipeline, split):
        raise RuntimeError(text)

    return nothing_measured(measure)


def test_an_error_text_is_told_by_the_check_that_knows_it() -> None:
    pipeline = burns("the barn has burnt")
    outcomes = attribute([run_one(too_cold, pipeline, {})], pipeline, [row(nothing_grew)])
    told = {outcome.rule.code: outcome for outcome in outcomes}
    assert told["TST001"].blocked_by == "TST002"
    assert told["TST002"].status is Status.BLOCKED
    (finding,) = told["TST002"].findings
    assert finding.message == "Measuring the weather raised RuntimeError: the barn has burnt"
    assert finding.remedy == "build a barn"


def test_any_other_error_is_run001_at_the_users_own_line() -> None:
    fallback = Row(rule("RUN001"), "", (), {}, {}, "", "")
    pipeline = burns("something else")
    outcomes = attribute([run_one(too_cold, pipeline, {})], pipeline, [fallback])
    told = {outcome.rule.code: outcome for outcome in outcomes}
    (finding,) = told["RUN001"].findings
    assert finding.where.file == __file__
    assert finding.where.source == "raise RuntimeError(text)"


def test_a_module_that_is_not_installed_is_to_be_installed_for_the_python_that_runs() -> None:
    @probe(Weather, Cost.DATA, user_code=True)
    def measure(_pipeline, _split):
        import barometer.of.brass  # type: ignore[import-not-found]  # it is meant to be absent

        return barometer

    pipeline = nothing_measured(measure)
    fallback = Row(rule("RUN001"), "", (), {}, {}, "", "")
    outcomes = attribute([run_one(too_cold, pipeline, {})], pipeline, [fallback])
    told = {outcome.rule.code: outcome for outcome in outcomes}
    (finding,) = told["RUN001"].findings
    assert finding.remedy.startswith(
        f"install what provides barometer for this Python, {sys.executable};"
    )


def test_a_check_that_found_the_fault_by_itself_is_not_told_twice() -> None:
    pipeline = burns("the barn has burnt")
    blocked = run_one(too_cold, pipeline, {})
    own = Outcome(rule_of(nothing_grew), Status.FOUND, (Finding("0 tons", "sow"),))
    told = {o.rule.code: o for o in attribute([blocked, own], pipeline, [row(nothing_grew)])}
    assert [f.message for f in told["TST002"].findings] == ["0 tons"]
    assert told["TST001"].blocked_by == "TST002"


def test_a_fault_whose_cause_was_found_is_not_told_beside_it() -> None:
    pipeline = burns("the barn has burnt")
    blocked = run_one(windy, pipeline, {})
    cause = Outcome(rule_of(too_cold), Status.FOUND, (Finding("-5 degrees", "heat"),))
    told = {o.rule.code: o for o in attribute([blocked, cause], pipeline, [row(nothing_grew)])}
    assert set(told) == {"TST001", "TST003"}
    assert told["TST003"].blocked_by == "TST001"


def raised(text: str) -> BaseException:
    with pytest.raises(TypeError) as caught:
        exec(text)
    return caught.value


def test_a_refused_keyword_is_told_at_its_own_line() -> None:
    def strict() -> None:
        pass

    with pytest.raises(TypeError) as caught:
        strict(
            wrong=1,  # type: ignore[call-arg]  # what the test is about
        )
    where = user_frame(caught.value)
    assert where.file == __file__
    assert where.source is not None
    assert where.source.startswith("wrong=1")


def test_code_without_a_text_is_told_at_the_line_that_ran_it() -> None:
    where = user_frame(raised("sorted()"))
    assert (where.file, where.source) == (__file__, "exec(text)")
