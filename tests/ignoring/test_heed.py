"""What the user has accepted, set apart from what counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine.samples import found, report, rule

from pipedoctor import Finding, Location, Outcome, Severity, Status
from pipedoctor.examination import accepted
from pipedoctor.finding import Confidence
from pipedoctor.ignoring.patterns import PerFile
from pipedoctor.options import Options
from pipedoctor.registry import Registry, Row, load
from pipedoctor.report import Report, every

CODES = ("AAA001", "AAA002", "BBB001")
KNOWN = Registry(
    (*(Row(rule(code), "", (), {}, {}, "", "") for code in CODES), load().row("RUN004"))
)
LATE = Outcome(load().row("RUN004").rule, Status.SKIPPED, reason="no run was given")


def at(line: int | None, file: str = "c.toml", **more: object) -> Finding:
    return Finding(f"message {line}", "remedy", where=Location(file, line), **more)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def heeded(project: Path, text: str, *outcomes: Outcome, **wishes: object) -> Report:
    (project / "c.toml").write_text(text)
    made = Report("c.toml", (*outcomes, LATE))
    return accepted(made, Options(**wishes), KNOWN)


def told(made: Report) -> list[tuple[str, str]]:
    return [(entry.rule.code, entry.finding.message) for entry in every(made.entries)]


def test_a_comment_covers_the_finding_of_its_line(project: Path) -> None:
    made = heeded(
        project,
        "a = 1\nb = 2 # pipedoctor: ignore[AAA001] on purpose\n",
        found("AAA001", at(1), at(2)),
        found("BBB001", at(2)),
    )
    assert told(made) == [("AAA001", "message 1"), ("BBB001", "message 2")]
    (one,) = made.suppressed
    assert (one.by, one.place, one.reason) == ("comment", "c.toml:2", "on purpose")
    assert one.severity is Severity.ERROR


def test_the_file_of_a_finding_without_one_is_the_target(project: Path) -> None:
    nowhere = Finding("of the data", "r", where=Location(column="label"))
    made = heeded(project, "# pipedoctor: ignore-file[AAA]\n", found("AAA001", nowhere))
    assert (told(made), len(made.suppressed)) == ([], 1)


def test_comments_in_another_file_that_findings_are_in(project: Path) -> None:
    (project / "data.py").write_text("x = 1  # pipedoctor: ignore[AAA001]\n")
    made = heeded(project, "", found("AAA001", at(1, "data.py")))
    assert told(made) == []


def test_a_check_all_of_whose_findings_are_accepted_has_not_passed(project: Path) -> None:
    made = heeded(project, "# pipedoctor: ignore-file[AAA001]\n", found("AAA001", at(1)))
    assert made.count(Status.PASSED) == 1  # the check of comments
    assert made.ok()


def test_what_stopped_the_examination_is_shown_whatever_is_ignored(project: Path) -> None:
    blocked = found("AAA001", at(1), status=Status.BLOCKED)
    made = heeded(project, "# pipedoctor: ignore-file[AAA001]\n", blocked)
    assert ("AAA001", "message 1") in told(made)
    assert made.suppressed == ()


def test_a_finding_that_is_not_shown_is_not_counted_as_ignored(project: Path) -> None:
    unsure = at(1, confidence=Confidence.LOW)
    made = heeded(project, "# pipedoctor: ignore-file[AAA001]\n", found("AAA001", unsure))
    assert made.suppressed == ()


def test_a_comment_that_ignores_nothing_is_told(project: Path) -> None:
    passed = [Outcome(rule(code), Status.PASSED) for code in CODES]
    made = heeded(project, "a = 1 # pipedoctor: ignore[AAA001,BBB]\n", *passed)
    assert told(made) == [
        ("RUN004", "The comment ignores AAA001, BBB, but AAA001, BBB found nothing on line 1")
    ]
    assert made.entries[0].finding.remedy == "delete the comment"
    assert made.entries[0].finding.where.line == 1


def test_one_that_is_of_some_use_is_to_be_shortened(project: Path) -> None:
    made = heeded(
        project,
        "a = 1 # pipedoctor: ignore[AAA001,AAA002]\n",
        found("AAA001", at(1)),
        Outcome(rule("AAA002"), Status.PASSED),
    )
    (entry,) = made.entries
    assert entry.finding.remedy == "write # pipedoctor: ignore[AAA001]"


@pytest.mark.parametrize(
    "other",
    [
        Outcome(rule("AAA002"), Status.SKIPPED, reason="needs --depth files"),
        Outcome(rule("AAA002"), Status.BLOCKED, reason="x"),
        Outcome(rule("AAA002"), Status.FOUND, (at(7),), partial=True),
        Outcome(rule("BBB001"), Status.PASSED),  # it is not selected
    ],
)
def test_of_a_check_without_an_answer_no_comment_is_known_to_be_unused(
    project: Path, other: Outcome
) -> None:
    passed = Outcome(rule("AAA001"), Status.PASSED)
    made = heeded(project, "a = 1 # pipedoctor: ignore[AAA]\n", passed, other)
    assert "RUN004" not in [code for code, _ in told(made)]


def test_a_code_that_there_is_none_of(project: Path) -> None:
    made = heeded(project, "a = 1 # pipedoctor: ignore[ZZZ999]\n")
    assert told(made) == [("RUN004", "The comment ignores ZZZ999, but there is no check ZZZ999")]


def test_the_check_of_comments_can_be_ignored_itself(project: Path) -> None:
    text = "# pipedoctor: ignore-file[RUN004]\na = 1 # pipedoctor: ignore[ZZZ999]\n"
    made = heeded(project, text)
    assert (told(made), [one.rule.code for one in made.suppressed]) == ([], ["RUN004"])
    left_out = accepted(Report("c.toml", ()), Options(), KNOWN)
    assert left_out.outcomes == ()


def test_without_a_comment_the_check_has_passed(project: Path) -> None:
    assert heeded(project, "a = 1\n").count(Status.PASSED) == 1


def test_for_a_target_that_is_no_file_nothing_is_known_of_comments() -> None:
    made = accepted(report(LATE), Options(), KNOWN)
    assert made.outcomes == (LATE,)


def test_patterns_of_files(project: Path) -> None:
    wish = PerFile("*.toml", ("AAA",), str(project))
    made = heeded(project, "", found("AAA001", at(1)), found("BBB001", at(1)), per_file=(wish,))
    assert told(made) == [("BBB001", "message 1")]
    assert [(one.by, one.place) for one in made.suppressed] == [("per-file-ignores", "*.toml")]


def test_each_finding_is_accepted_once(project: Path) -> None:
    wish = PerFile("*.toml", ("AAA",), str(project))
    text = "# pipedoctor: ignore-file[AAA001]\n"
    made = heeded(project, text, found("AAA001", at(1)), per_file=(wish,))
    assert [one.by for one in made.suppressed] == ["comment"]
