from __future__ import annotations

import json

from engine.samples import rule
from hypothesis import given
from hypothesis import strategies as st

from pipedoctor import Confidence, Cost, Finding, Location, Outcome, Severity, Status, serial
from pipedoctor.fix import Fix, delete, put, rename
from pipedoctor.report import Report, Suppressed

texts = st.text(max_size=20)
maybe = st.none() | texts
places = st.builds(
    Location,
    file=maybe,
    line=st.none() | st.integers(1, 10**6),
    key=maybe,
    column=maybe,
    layer=maybe,
    split=maybe,
    rows=st.lists(st.integers(0), max_size=3).map(tuple),
    source=maybe,
    origin=maybe,
)
edits = (
    st.builds(put, texts, st.integers() | texts | st.none() | st.lists(texts, max_size=2))
    | st.builds(rename, texts, texts)
    | st.builds(delete, texts)
)
fixes = st.builds(
    Fix,
    texts,
    st.lists(edits, max_size=2).map(tuple),
    st.booleans(),
    maybe,
    st.none() | st.integers(1, 10**6),
    st.sampled_from(["settings", "model"]),
)
findings = st.builds(
    Finding,
    message=texts,
    remedy=texts,
    where=places,
    evidence=st.dictionaries(texts, st.integers() | texts | st.booleans(), max_size=3),
    alternatives=st.lists(texts, max_size=2).map(tuple),
    shows=st.lists(texts, max_size=2).map(tuple),
    severity=st.none() | st.sampled_from(Severity),
    confidence=st.sampled_from(Confidence),
    fix=st.none() | fixes,
)
outcomes = st.builds(
    Outcome,
    st.just(rule()),
    st.sampled_from(Status),
    st.lists(findings, max_size=2).map(tuple),
    texts,
    maybe,
    partial=st.booleans(),
    over=st.none() | st.sampled_from(Cost),
    seconds=st.sampled_from([0.0, 0.25, 3.0]),
)


@given(outcomes)
def test_an_outcome_survives_the_way_through_json(outcome: Outcome) -> None:
    sent = json.loads(json.dumps(serial.outcome(outcome)))
    assert serial.read_outcome(sent, outcome.rule) == outcome


accepted = st.builds(
    Suppressed, st.just(rule()), findings, st.sampled_from(Severity), texts, texts, texts
)


@given(outcomes, st.lists(accepted, max_size=2).map(tuple))
def test_a_report_survives_it_with_what_was_accepted(
    outcome: Outcome, suppressed: tuple[Suppressed, ...]
) -> None:
    report = Report("c.json", (outcome,), suppressed=suppressed)
    sent = json.loads(json.dumps(serial.report(report)))
    assert serial.read_report(sent, {outcome.rule.code: outcome.rule}) == report


def test_what_json_cannot_hold_becomes_text() -> None:
    told = serial.plain({"loss": float("nan"), 3: {1, 2}, "type": int, "pair": (1, "a")})
    assert json.loads(json.dumps(told, allow_nan=False)) == {
        "loss": "nan",
        "3": [1, 2],
        "type": "<class 'int'>",
        "pair": [1, "a"],
    }
