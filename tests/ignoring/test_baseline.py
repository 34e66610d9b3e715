from __future__ import annotations

import json
from pathlib import Path

import pytest
from engine.samples import found, report, rule

from pipedoctor import Finding, Location, Outcome, Status
from pipedoctor.ignoring import baseline, known
from pipedoctor.options import UsageError
from pipedoctor.report import every

HIGH = Finding("rate 1e-3 is high", "5e-5", where=Location(key="learning_rate"))
LATE = Finding("first at step 500", "earlier", where=Location(key="save_steps"))


def accept(path: Path, *reports, old: baseline.Baseline | None = None) -> str:
    path.write_text((old or baseline.Baseline(str(path))).renewed(reports).text())
    return str(path)


def messages(made) -> list[str]:
    return [entry.finding.message for entry in every(made.entries)]


def test_what_is_known_does_not_count_and_what_is_new_does(tmp_path: Path) -> None:
    path = accept(tmp_path / "b.json", report(found("AAA001", HIGH)))
    seen = known(report(found("AAA001", HIGH, LATE)), path)
    assert messages(seen) == [LATE.message]
    (one,) = seen.suppressed
    assert (one.rule.code, one.finding, one.by) == ("AAA001", HIGH, "baseline")


def test_a_second_one_of_the_same_kind_is_new(tmp_path: Path) -> None:
    path = accept(tmp_path / "b.json", report(found("AAA001", HIGH)))
    assert messages(known(report(found("AAA001", HIGH, HIGH)), path)) == [HIGH.message]


def test_what_is_known_of_one_target_is_new_in_another(tmp_path: Path) -> None:
    path = accept(tmp_path / "b.json", report(found("AAA001", HIGH)))
    from dataclasses import replace

    other = replace(report(found("AAA001", HIGH)), target="other.json")
    assert messages(known(other, path)) == [HIGH.message]


def test_what_no_longer_occurs_is_told_and_taken_out(tmp_path: Path) -> None:
    path = accept(tmp_path / "b.json", report(found("AAA001", HIGH, LATE)))
    now = report(found("AAA001", LATE))
    (told,) = known(now, path).problems
    assert "1 finding of the baseline" in told
    assert "no longer occurs in train.json: AAA001 fault-aaa001" in told
    left = baseline.read(path).renewed([now])
    assert [entry.message for entry in left.entries] == [LATE.message]


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(rule("AAA001"), Status.SKIPPED, reason="needs --depth files"),
        Outcome(rule("AAA001"), Status.BLOCKED, reason="raised"),
        Outcome(rule("AAA001"), Status.CRASHED, reason="Traceback"),
        Outcome(rule("AAA001"), Status.FOUND, (LATE,), partial=True),
        Outcome(rule("BBB001"), Status.PASSED),
    ],
)
def test_of_a_check_without_an_answer_nothing_is_known_to_be_gone(
    tmp_path: Path, outcome: Outcome
) -> None:
    path = accept(tmp_path / "b.json", report(found("AAA001", HIGH)))
    now = report(outcome)
    assert known(now, path).problems == ()
    kept = [entry.message for entry in baseline.read(path).renewed([now]).entries]
    assert HIGH.message in kept


def test_what_stopped_the_examination_is_never_accepted(tmp_path: Path) -> None:
    blocked = report(found("RUN001", HIGH, status=Status.BLOCKED))
    path = accept(tmp_path / "b.json", blocked)
    assert baseline.read(path).entries == ()
    assert messages(known(blocked, path)) == [HIGH.message]


def test_the_file_is_sorted_and_says_what_it_accepts(tmp_path: Path) -> None:
    path = accept(tmp_path / "b.json", report(found("BBB001", LATE), found("AAA001", HIGH, HIGH)))
    told = json.loads(Path(path).read_text())
    assert told["pipedoctor_baseline"] == 1
    assert [(e["code"], e["count"], e["target"]) for e in told["findings"]] == [
        ("AAA001", 2, "train.json"),
        ("BBB001", 1, "train.json"),
    ]


def test_targets_are_named_from_the_folder_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "train.json").write_text("{}")
    path = tmp_path / "b.json"
    monkeypatch.chdir(tmp_path / "conf")
    accept(path, report(found("AAA001", HIGH)))
    assert baseline.read(str(path)).entries[0].target == "conf/train.json"
    assert messages(known(report(found("AAA001", HIGH)), "../b.json")) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is no JSON"),
        ("[]", "is no baseline"),
        ('{"pipedoctor_baseline": 2, "findings": []}', "is no baseline of this pipedoctor"),
        ('{"pipedoctor_baseline": 1}', "is damaged"),
        ('{"pipedoctor_baseline": 1, "findings": [1]}', "is damaged"),
        ('{"pipedoctor_baseline": 1, "findings": [{"code": "x"}]}', "is damaged"),
        (
            (
                '{"pipedoctor_baseline": 1, "findings": [{"target": "", "code": "", "name": "", '
                '"fingerprint": "", "message": "", "count": 0}]}'
            ),
            "is damaged",
        ),
        ("[" * 100_000, "is no JSON"),
    ],
)
def test_what_is_no_baseline_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "b.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        baseline.read(str(path))


def test_one_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no baseline"):
        baseline.read(str(tmp_path / "none.json"))
    assert baseline.read(str(tmp_path / "none.json"), must_exist=False).entries == ()
