"""A check that may also look into the text of a script, where its facts can't be had."""

from __future__ import annotations

from engine.samples import Weather, nothing_measured, weather

from pipedoctor import Cost, Finding, Severity, Stage, Status, check
from pipedoctor.examination import run_rows
from pipedoctor.options import Options
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline
from pipedoctor.probes.script.reader import script as reading
from pipedoctor.registry import Row, Want
from pipedoctor.runner import rule_of, run_one


def _umbrella(script):
    for call in script.calls:
        if call.text == "rain":
            yield Finding(f"line {call.line}", "take one")


@check("TST020", Severity.ERROR, stage=Stage.DATA, in_text=_umbrella)
def wet(weather: Weather):
    """Get wet."""
    if weather.degrees < 0:
        yield Finding("measured", "x")


def _broken(script):
    raise KeyError(script.file)
    yield


@check("TST021", Severity.ERROR, stage=Stage.DATA, in_text=_broken)
def crashing(weather: Weather):
    """Crash."""
    yield from ()


def subject(text, *probes, budget=Cost.TRAINING):
    parts = Parts({"script": text})
    return Pipeline(parts, [reading, *probes], budget)


def test_the_text_accuses_where_the_fact_is_out_of_reach():
    outcome = run_one(wet, subject("rain()"), {})
    assert (outcome.status, outcome.findings[0].message) == (Status.FOUND, "line 1")


def test_the_text_does_not_acquit():
    pipeline = subject("sun()", weather(cost=Cost.FORWARD), budget=Cost.DATA)
    outcome = run_one(wet, pipeline, {})
    assert (outcome.status, outcome.over) == (Status.SKIPPED, Cost.FORWARD)


def test_what_was_measured_outranks_the_text():
    assert run_one(wet, subject("rain()", weather(3)), {}).status is Status.PASSED
    (finding,) = run_one(wet, subject("rain()", weather(-3)), {}).findings
    assert finding.message == "measured"


def test_without_a_script_nothing_changes():
    assert run_one(wet, nothing_measured(), {}).status is Status.SKIPPED


def test_text_that_can_not_be_read_tells_nothing():
    assert run_one(wet, subject("rain("), {}).status is Status.SKIPPED


def test_a_bug_in_it_is_a_bug_of_the_check():
    assert run_one(crashing, subject("rain()"), {}).status is Status.CRASHED


def test_a_check_over_the_budget_is_imported_for_its_text_only():
    loaded = []

    class Counted(Row):
        def load(self):
            loaded.append(self.code)
            return wet

    def row(in_text):
        wants = (Want("Weather", None, False),)
        return Counted(rule_of(wet), "", wants, {}, {}, "", "", in_text)

    pipeline = subject("rain()", weather(cost=Cost.FORWARD), budget=Cost.DATA)
    (with_text,) = [o for _, o in run_rows([row(True)], pipeline, Options())]
    (without,) = [o for _, o in run_rows([row(False)], pipeline, Options())]
    assert (with_text.status, without.status) == (Status.FOUND, Status.SKIPPED)
    assert loaded == ["TST020"]
