from __future__ import annotations

import pytest
from engine.samples import found, report

from pipedoctor import Confidence, Finding, Location, Severity, Stage, Status, registry
from pipedoctor.ranking import compatible


def finding(**where: object) -> Finding:
    return Finding("wrong", "mend", where=Location(**where))


def codes(*outcomes, **more) -> list[str]:
    return [entry.rule.code for entry in report(*outcomes, **more).entries]


def test_by_severity_then_stage_then_code() -> None:
    assert codes(
        found("AAA003", finding(), severity=Severity.NOTE, stage=Stage.ARGUMENTS),
        found("AAA002", finding(), stage=Stage.MODEL),
        found("AAA001", finding(), stage=Stage.DATA),
        found("AAA004", finding(), severity=Severity.WARNING, stage=Stage.ENVIRONMENT),
        found("AAA000", finding(), stage=Stage.MODEL),
    ) == ["AAA001", "AAA000", "AAA002", "AAA004", "AAA003"]


def test_what_was_blocked_comes_first() -> None:
    assert codes(
        found("AAA001", finding(), stage=Stage.ARGUMENTS),
        found("AAA002", finding(), status=Status.BLOCKED, stage=Stage.FORWARD),
    ) == ["AAA002", "AAA001"]


def test_a_consequence_is_folded_under_its_cause() -> None:
    (entry,) = report(
        found("AAA002", finding(split="train"), stage=Stage.FORWARD),
        found("AAA001", finding(split="train"), explains=frozenset({"AAA002"})),
    ).entries
    assert entry.rule.code == "AAA001"
    assert [folded.rule.code for folded in entry.folded] == ["AAA002"]


def test_a_chain_is_folded_as_a_chain() -> None:
    (entry,) = report(
        found("AAA003", finding()),
        found("AAA002", finding(), explains=frozenset({"AAA003"})),
        found("AAA001", finding(), explains=frozenset({"AAA002"})),
    ).entries
    assert entry.folded[0].folded[0].rule.code == "AAA003"


def test_codes_that_explain_each_other_do_not_vanish() -> None:
    entries = report(
        found("AAA001", finding(), finding(), explains=frozenset({"AAA001", "AAA002"})),
        found("AAA002", finding(), explains=frozenset({"AAA001"})),
    ).entries

    def count(some) -> int:
        return sum(1 + count(entry.folded) for entry in some)

    assert count(entries) == 3


def test_an_error_under_a_note_is_still_an_error() -> None:
    subject = report(
        found("AAA002", finding()),
        found("AAA001", finding(), severity=Severity.NOTE, explains=frozenset({"AAA002"})),
    )
    assert subject.worst() is Severity.ERROR
    assert not subject.ready


def test_another_split_is_another_fault() -> None:
    assert codes(
        found("AAA002", finding(split="eval")),
        found("AAA001", finding(split="train"), explains=frozenset({"AAA002"})),
    ) == ["AAA001", "AAA002"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({}, {}, True),
        ({"key": "a"}, {"key": "b"}, False),
        ({"key": "a"}, {"layer": "b"}, True),
        ({"rows": (1, 2)}, {"rows": (2, 3)}, True),
        ({"rows": (1, 2)}, {"rows": (3,)}, False),
        ({"column": "x", "rows": (1,)}, {"column": "x"}, True),
    ],
)
def test_two_places_can_be_the_same(one: dict, other: dict, same: bool) -> None:
    assert compatible(Location(**one), Location(**other)) is same
    assert compatible(Location(**other), Location(**one)) is same


def test_the_users_word_on_severity_wins_over_the_findings_and_the_rules() -> None:
    grave = Finding("wrong", "mend", severity=Severity.ERROR)
    outcome = found("AAA001", grave, severity=Severity.NOTE)
    assert report(outcome).worst() is Severity.ERROR
    assert report(outcome, severities={"AAA001": Severity.NOTE}).worst() is Severity.NOTE


def test_low_confidence_is_shown_only_in_preview() -> None:
    unsure = Finding("wrong", "mend", confidence=Confidence.LOW)
    assert codes(found("AAA001", unsure)) == []
    assert codes(found("AAA001", unsure), preview=True) == ["AAA001"]


def test_no_built_in_check_explains_itself_in_a_circle() -> None:
    explains = {row.code: row.rule.explains for row in registry.load().rows}

    def reach(code: str, path: tuple[str, ...]) -> None:
        assert code not in path, " explains ".join((*path, code))
        for effect in explains.get(code, ()):
            reach(effect, (*path, code))

    for code in explains:
        reach(code, ())


def in_both(train: str, evaluation: str):
    return found(
        "AAA001",
        Finding("three labels", train, Location(split="train", rows=(1,))),
        Finding("two labels", evaluation, Location(split="eval", rows=(4,))),
    )


def test_one_fault_in_both_splits_is_told_once() -> None:
    (entry,) = report(in_both("train_data.map(f)", "eval_data.map(f)")).entries
    assert [folded.finding.where.split for folded in entry.folded] == ["eval"]


def test_what_needs_two_cures_is_told_twice() -> None:
    assert codes(in_both("train_data.map(f)", "drop these rows")) == ["AAA001", "AAA001"]
