"""Which fixes are made, when several findings have one."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine.samples import found, report

from pipedoctor import Finding, Report, Severity
from pipedoctor.fix import Edit, Fix, delete, put, rename
from pipedoctor.fixing import plan
from pipedoctor.reporters import layout, text

TEXT = '{"lr": 1, "b": 2}'


def finding(*edits: Edit, safe: bool = True, file: str | None = "train.json") -> Finding:
    return Finding("m", "r", fix=Fix("change it", edits, safe, file))


def two(first: Finding, second: Finding) -> Report:
    return report(
        found("BBB001", first, severity=Severity.ERROR),
        found("AAA001", second, severity=Severity.WARNING),
    )


@pytest.mark.parametrize(
    ("first", "second", "result", "made", "refused"),
    [
        (put("lr", 5), put("b", 6), '{"lr": 5, "b": 6}', ["BBB001", "AAA001"], []),
        (put("lr", 5), put("lr", 6), '{"lr": 5, "b": 2}', ["BBB001"], ["AAA001"]),
        (put("lr", 5), put("lr", 5), '{"lr": 5, "b": 2}', ["BBB001"], []),
        (rename("lr", "c"), put("c", 6), '{"c": 1, "b": 2}', ["BBB001"], ["AAA001"]),
        (delete("x"), put("b", 6), '{"lr": 1, "b": 6}', ["AAA001"], ["BBB001"]),
    ],
)
def test_of_two_on_the_same_key_the_graver_finding_goes_first(
    first: Edit, second: Edit, result: str, made: list[str], refused: list[str]
) -> None:
    draft = plan.drafted(two(finding(first), finding(second)), TEXT, unsafe=False)
    assert draft.text == result
    assert [entry.rule.code for entry in draft.made] == made
    assert [entry.rule.code for entry, _ in draft.refused] == refused


def test_a_fix_of_another_file_is_not_offered() -> None:
    for file in (None, "other.json", "/etc/passwd"):
        subject = report(found("AAA001", finding(put("lr", 5), file=file)))
        assert plan.drafted(subject, TEXT, unsafe=True).text == TEXT
        assert "--fix" not in text.plain(subject)


def test_a_consequence_is_left_to_the_fix_of_its_cause() -> None:
    cause = found("AAA001", finding(put("lr", 5)), explains=frozenset({"BBB001"}))
    consequence = found("BBB001", finding(put("b", 6)), explains=frozenset())
    (entry,) = report(cause, consequence).entries
    assert [folded.rule.code for folded in entry.folded] == ["BBB001"]
    draft = plan.drafted(report(cause, consequence), TEXT, unsafe=True)
    assert draft.text == '{"lr": 5, "b": 2}'


def test_the_report_says_what_can_be_fixed_and_how() -> None:
    safe, unsafe = finding(put("lr", 5)), finding(put("b", 6), safe=False)
    told = text.plain(two(safe, unsafe)).splitlines()
    assert "  fix  r  (--fix)" in told
    assert "  fix  r  (--unsafe-fixes)" in told
    assert told[-1] == "1 fixable with --fix, 1 more with --unsafe-fixes"
    only = report(found("AAA001", unsafe))
    assert layout.fixable(only) == "1 fixable with --fix --unsafe-fixes"


def test_the_option_goes_to_a_line_of_its_own_where_there_is_no_room() -> None:
    subject = report(found("AAA001", Finding("m", "x" * 33, fix=finding(put("lr", 5)).fix)))
    told = text.plain(subject, 42).splitlines()
    assert told[told.index("  fix  " + "x" * 33) + 1] == "       (--fix)"


def test_calls_of_a_script_are_changed_from_the_last_one_up(tmp_path: Path) -> None:
    script = tmp_path / "t.py"
    body = (
        "import transformers as t\n"
        "m = t.AutoModel.from_pretrained(\n    'x'\n)\n"
        "a = t.TrainingArguments(\n    lr=1,\n)\n"
    )
    script.write_text(body)
    model = Fix("", (Edit("add", "n", 3),), True, str(script), 2, "model")
    arguments = Fix("", (Edit("set", "lr", 2),), True, str(script), 5)
    outcomes = [found("AAA001", Finding("m", "r", fix=fix)) for fix in (model, arguments)]
    draft = plan.drafted(Report(str(script), tuple(outcomes)), body, unsafe=False)
    assert draft.text == body.replace("'x'", "'x',\n    n=3").replace("lr=1", "lr=2")
