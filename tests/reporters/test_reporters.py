from __future__ import annotations

import io
import json
from collections.abc import Callable

import pytest
from engine.samples import found, report, rule

from pipedoctor import Finding, Location, Outcome, Report, Severity, Stage, Status
from pipedoctor.reporters import json as json_reporter
from pipedoctor.reporters import layout, text
from pipedoctor.reporters.layout import clean

SEEN = ({"fact": "Forward", "seconds": 0.1, "rows": 8},)

LABELS = Finding(
    message="The data has labels 0, 1, 2 but the head has 2 outputs; 34,771 of 104,743 rows "
    "(33%) cannot be learned",
    remedy='set "num_labels": 3',
    where=Location(
        file="train.json",
        line=14,
        key="num_labels",
        column="label",
        split="train",
        rows=(2, 5, 9),
        source='"num_labels": 2,',
    ),
    evidence={"num_labels": 2, "labels": [0, 1, 2]},
    alternatives=("mend the labels",),
    shows=('row 2: "Where is it? | It is not said." → 2',),
)


@pytest.fixture
def everything() -> Report:
    """A report with one outcome of each kind."""
    return report(
        found("LAB001", LABELS, stage=Stage.MODEL, explains=frozenset({"LOS002"})),
        found(
            "LOS002", Finding("Loss 0.71, chance is 1.10", "see LAB001"), severity=Severity.WARNING
        ),
        found(
            "HYP009",
            Finding("The first checkpoint comes at step 500", "wait"),
            severity=Severity.NOTE,
        ),
        found(
            "HYP001",
            Finding(
                "1e-3 is high",
                "5e-5",
                where=Location(key="learning_rate", origin="default of transformers 5.23.0"),
            ),
            severity=Severity.WARNING,
        ),
        Outcome(rule("DAT001"), Status.PASSED),
        Outcome(rule("DAT002"), Status.SKIPPED, reason="no eval data was given"),
        Outcome(rule("DAT003"), Status.SKIPPED, reason="no eval data was given"),
        Outcome(rule("DAT004"), Status.BLOCKED, reason="ValueError: x", blocked_by="LAB001"),
        Outcome(rule("DAT005"), Status.CRASHED, reason="Traceback …\nKeyError: 'x'"),
        subject=("run_glue arguments", "104,743 rows"),
        plan=("39,279 steps", "79 checkpoints"),
        problems=("plugin x: ImportError: y",),
        facts=({"fact": "Labels", "seconds": 0.12, "rows": 104743},),
    )


def test_text(everything: Report, snapshot: Callable[[str, str], None]) -> None:
    snapshot("report.txt", text.plain(everything))


def test_narrow_text(everything: Report, snapshot: Callable[[str, str], None]) -> None:
    snapshot("report-narrow.txt", text.plain(everything, 50))


def test_json(everything: Report, snapshot: Callable[[str, str], None]) -> None:
    rendered = json_reporter.render(everything)
    assert json.loads(rendered)["schema_version"] == 1
    snapshot("report.json", rendered)


def test_a_healthy_run_is_ready() -> None:
    healthy = report(
        Outcome(rule("DAT001"), Status.PASSED),
        Outcome(rule("DAT002"), Status.SKIPPED, reason="no eval data was given"),
        facts=SEEN,
    )
    assert (
        layout.verdict(healthy)
        == "Ready to train: 1 check passed, 1 skipped: no eval data was given (1)"
    )


def test_a_note_keeps_nobody_from_training() -> None:
    noted = report(
        found("AAA001", Finding("x", "y"), severity=Severity.NOTE),
        Outcome(rule("DAT001"), Status.PASSED),
        facts=SEEN,
    )
    assert noted.ready
    assert layout.verdict(noted) == "Ready to train: 1 check passed · 1 note"


def test_the_verdict_tells_how_many_rows_were_run() -> None:
    def told(*facts: dict[str, object]) -> str:
        one = report(
            Outcome(rule("DAT001"), Status.PASSED),
            facts=tuple({"split": "train", **fact} for fact in facts),
        )
        start, _, tail = layout.verdict(one).partition(" · ")
        assert start == "Ready to train: 1 check passed"
        assert json.loads(json_reporter.render(one))["coverage"]["run"] == 8
        return tail

    run, rows = {"fact": "Forward", "rows": 8}, {"fact": "Rows", "rows": 480}
    some = "8 of 480 rows were run through the model"
    assert told(run, rows) == some
    assert told(run, rows, {"fact": "TokenRows", "rows": 480}) == (
        f"{some}, the tokens of all 480 looked at"
    )
    assert told(run, rows, {"fact": "TokenRows", "rows": 99}).endswith(
        "the tokens of 99 looked at"
    )
    assert told(run, {**rows, "rows": 8}) == "all 8 rows were run through the model"
    assert told(run, {**rows, "rows": None}).startswith("8 rows of the stream")


def test_without_having_run_the_model_nothing_is_ready() -> None:
    shallow = report(Outcome(rule("DAT001"), Status.PASSED))
    assert not shallow.ready
    assert shallow.ok()
    text_so_far = "No error or warning so far, but the model was not run: 1 check passed"
    assert layout.verdict(shallow) == text_so_far


def test_what_is_blocked_is_told_even_if_its_cause_is_ignored() -> None:
    blocked = report(Outcome(rule("DAT001"), Status.BLOCKED, reason="x", blocked_by="RUN001"))
    assert layout.verdict(blocked).startswith("Not ready: 1 check blocked · 0 checks passed")


def test_nothing_examined_is_not_ready_made() -> None:
    nothing = report(Outcome(rule("DAT001"), Status.SKIPPED, reason="fog"))
    assert layout.verdict(nothing) == "Nothing could be examined: 1 skipped: fog (1)"
    assert not nothing.ready


def test_a_crash_of_ours_is_told_as_ours() -> None:
    crashed = report(Outcome(rule("DAT001"), Status.CRASHED, reason="Traceback\nKeyError: 'x'"))
    assert "a bug in the check, not in your pipeline: KeyError: 'x'" in text.plain(crashed)
    assert "pipedoctor's own fault" in layout.verdict(crashed)


def test_the_users_text_cannot_steer_the_terminal() -> None:
    escape = "\x1b[31m"
    nasty = report(
        found(
            "AAA001",
            Finding(
                "red \x1b[31m text\nand a line",
                "x\r",
                shows=(escape,),
                where=Location(key=escape, origin=escape, column=escape),
            ),
        ),
        Outcome(rule("AAA002"), Status.SKIPPED, reason=escape),
        subject=(escape,),
        plan=(escape,),
        problems=(escape,),
    )
    plain = text.plain(nasty)
    assert "\x1b" not in plain
    assert "red \\x1b[31m text\\nand a line" in plain


def test_an_encoding_without_our_signs_gets_plain_ones(everything: Report) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    text.write(everything, stream, colour=False, width=80)
    stream.flush()
    assert b"x LAB001" in raw.getvalue()


def test_colour_changes_no_word(everything: Report) -> None:
    import re

    stream = io.TextIOWrapper(raw := io.BytesIO(), encoding="utf-8")
    text.write(everything, stream, colour=True, width=100)
    stream.flush()
    coloured = raw.getvalue().decode()
    assert "\x1b[" in coloured
    bare = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert [line.rstrip() for line in bare.splitlines()] == text.plain(everything).splitlines()


def test_a_line_that_could_state_a_value_says_where_the_value_is_from() -> None:
    place = Location("train.py", 7, "seed", source="args = Given(", origin="default of 5.23.0")
    told = str(report(found("HYP001", Finding("m", "r", where=place))))
    assert "train.py:7 │ args = Given(\n" in told
    assert " seed: default of 5.23.0\n" in told


@pytest.mark.parametrize(
    "sign", [*"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f"]
)
def test_signs_that_turn_words_round_are_shown_as_such(sign: str) -> None:
    assert clean(f"a{sign}b") == f"a\\u{ord(sign):04x}b"


@pytest.mark.parametrize("text", ["über", "שלום", "مرحبا", "我", "e\u0301", "😀"])
def test_words_of_any_language_are_as_they_are(text: str) -> None:
    assert clean(text) == text
