"""The formats for editors and CI servers: golden files, and texts that try to break out of them."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from engine.samples import found, report, rule
from hypothesis import given
from hypothesis import strategies as st

from pipedoctor import Finding, Location, Outcome, Report, Severity, Stage, Status, __version__
from pipedoctor.report import Suppressed
from pipedoctor.reporters import concise, github, junit, sarif
from pipedoctor.reporters import json as json_reporter
from pipedoctor.reporters.together import Together

WARMUP = Finding(
    message='Warm-up takes 500 of 114 steps, 50% <too many> & "late": stop',
    remedy='set "warmup_steps": 11',
    where=Location("conf/train.json", 15, "warmup_steps", source='"warmup_steps": 500,'),
    evidence={"warmup_steps": 500},
    alternatives=("train longer",),
)
LABELS = Finding(
    "The data has labels 0, 1, 2\nbut the head has 2 outputs",
    'set "num_labels": 3',
    where=Location(column="label", split="train", rows=(2, 5)),
    shows=("row 2: “…” → 2",),
)


def everything() -> Report:
    """A report with one outcome of each kind, and what was accepted."""
    return report(
        found("HYP003", WARMUP, severity=Severity.WARNING, stage=Stage.ARGUMENTS),
        found("LAB001", LABELS, explains=frozenset({"LOS002"})),
        found("LOS002", Finding("Loss 0.71, chance is 1.10", "see LAB001")),
        found("HYP009", Finding("first at 500", "wait"), severity=Severity.NOTE),
        found("CKP001"),
        Outcome(rule("DAT001"), Status.PASSED, seconds=0.5),
        Outcome(rule("DAT002"), Status.SKIPPED, reason="no eval data was given"),
        Outcome(rule("DAT004"), Status.BLOCKED, reason="ValueError: x", blocked_by="LAB001"),
        Outcome(rule("DAT005"), Status.CRASHED, reason="Traceback …\nKeyError: 'x'"),
        problems=("plugin x: ImportError: y",),
        suppressed=(
            Suppressed(
                rule("CKP001"),
                Finding("79 checkpoints", "fewer", where=Location("conf/train.json", 3, "k")),
                Severity.ERROR,
                "comment",
                "conf/train.json:3",
                "the disk is large",
            ),
            Suppressed(rule("VER001"), WARMUP, Severity.NOTE, "baseline", "b.json"),
        ),
    )


ALL = Together((everything(),))
SEVERAL = Together(
    (everything(), replace(everything(), target="other.json")),
    (("bad.json", "bad.json:3: a comma is missing"),),
)
PAGES = {"HYP003": "Warm-up never ends.\n\nWhy:\n\n    code\n"}


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.json").write_text("{}")


def test_concise(snapshot: Callable[[str, str], None]) -> None:
    snapshot("report-concise.txt", concise.render(ALL))


def test_github(snapshot: Callable[[str, str], None]) -> None:
    snapshot("report-github.txt", github.render(ALL))


def test_sarif(snapshot: Callable[[str, str], None]) -> None:
    told = sarif.render(ALL, PAGES)
    snapshot("report.sarif", told.replace(f'"{__version__}"', '"VERSION"'))


def test_junit(snapshot: Callable[[str, str], None]) -> None:
    snapshot("report-junit.xml", junit.render(ALL))


def test_several_targets_and_one_that_cannot_be_read(snapshot: Callable[[str, str], None]) -> None:
    snapshot("several-concise.txt", concise.render(SEVERAL))
    assert "::error file=bad.json,title=can't be read::bad.json%3A3" not in github.render(SEVERAL)
    assert "::error file=bad.json,title=can't be read::bad.json:3: a" in github.render(SEVERAL)
    suites = ET.fromstring(junit.render(SEVERAL))
    assert [suite.get("name") for suite in suites] == ["train.json", "other.json", "bad.json"]
    run = json.loads(sarif.render(SEVERAL))["runs"][0]
    assert len(run["results"]) == 12
    assert run["invocations"][0]["executionSuccessful"] is False
    told = json.loads(json_reporter.several(SEVERAL))
    assert (told["schema_version"], len(told["reports"])) == (1, 2)
    assert told["reports"][0] == json.loads(json_reporter.render(everything()))
    assert told["unreadable"] == [{"target": "bad.json", "error": SEVERAL.unreadable[0][1]}]


def test_one_target_has_the_envelope_of_one() -> None:
    assert json_reporter.several(ALL) == json_reporter.render(everything())


def test_junit_counts_what_it_holds() -> None:
    for fail_on, failures in ((Severity.NOTE, 4), (Severity.WARNING, 3), (Severity.ERROR, 2)):
        suites = ET.fromstring(junit.render(ALL, fail_on))
        assert int(suites.get("failures", "")) == failures == len(suites.findall(".//failure"))
    assert int(suites.get("tests", "")) == 9 == len(suites.findall(".//testcase"))
    assert int(suites.get("errors", "")) == 1 == len(suites.findall(".//error"))
    reasons = [one.get("message") for one in suites.iter("skipped")]
    assert int(suites.get("skipped", "")) == 3 == len(reasons)
    assert "no eval data was given" in reasons
    assert "blocked by LAB001: ValueError: x" in reasons
    assert "ignored: comment conf/train.json:3" in reasons


def test_what_blocked_fails_its_test_case_whatever_its_severity() -> None:
    blocked = found("RUN003", WARMUP, severity=Severity.NOTE, status=Status.BLOCKED)
    suites = ET.fromstring(junit.render(Together((report(blocked),)), Severity.ERROR))
    assert suites.get("failures") == "1"


# SARIF --------------------------------------------------------------------------------------


def results(made: Report) -> list[dict[str, Any]]:
    return json.loads(sarif.render(Together((made,))))["runs"][0]["results"]


def test_a_fingerprint_does_not_move_with_its_line() -> None:
    moved = replace(WARMUP, where=replace(WARMUP.where, line=99))
    (before,), (after,) = (results(report(found("HYP003", one))) for one in (WARMUP, moved))
    assert before["partialFingerprints"] == after["partialFingerprints"]
    assert before["locations"] != after["locations"]


def test_two_of_a_kind_have_two_fingerprints() -> None:
    marks = [one["partialFingerprints"] for one in results(report(found("A", WARMUP, WARMUP)))]
    assert marks[0] != marks[1]


def test_each_level_is_that_of_the_finding_and_the_rule_keeps_its_own() -> None:
    made = report(
        found("HYP003", WARMUP, severity=Severity.WARNING), severities={"HYP003": Severity.ERROR}
    )
    run = json.loads(sarif.render(Together((made,))))["runs"][0]
    assert run["results"][0]["level"] == "error"
    assert run["tool"]["driver"]["rules"][0]["defaultConfiguration"] == {"level": "warning"}


def test_a_file_elsewhere_has_a_whole_address() -> None:
    odd = replace(WARMUP, where=Location("/else where/ü#1.json", 1))
    (one,) = results(report(found("HYP003", odd)))
    uri = one["locations"][0]["physicalLocation"]["artifactLocation"]
    assert set(uri) == {"uri"}
    assert uri["uri"].startswith("file:///else%20where/")
    assert unquote(urlsplit(uri["uri"]).path) == "/else where/ü#1.json"


def test_a_name_that_is_no_utf8_has_an_address_of_its_bytes() -> None:
    odd = replace(WARMUP, where=Location("r\udce9sum\ud800.json", 1))
    (one,) = results(report(found("HYP003", odd)))
    uri = one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "r%E9sum%EF%BF%BD.json"


REQUIRED: dict[str, set[str]] = {
    # What the specification demands of each object that we write, and what it knows besides.
    "log": {"version", "runs"},
    "run": {"tool"},
    "driver": {"name"},
    "rule": {"id"},
    "result": {"message"},
}
KNOWN: dict[str, set[str]] = {
    "log": {"$schema", "version", "runs"},
    "run": {"tool", "invocations", "results"},
    "driver": {"name", "version", "semanticVersion", "rules"},
    "rule": {
        *("id", "name", "shortDescription", "fullDescription", "help"),
        *("defaultConfiguration", "properties"),
    },
    "result": {
        *("ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints"),
        *("suppressions", "properties"),
    },
}


def of_kind(kind: str, told: dict[str, Any]) -> None:
    assert REQUIRED[kind] <= told.keys() <= KNOWN[kind], (kind, sorted(told))


def valid(log: dict[str, Any]) -> None:
    """Hold a log against the rules of SARIF 2.1.0 for the objects in it."""
    of_kind("log", log)
    assert log["version"] == "2.1.0"
    for run in log["runs"]:
        of_kind("run", run)
        of_kind("driver", run["tool"]["driver"])
        rules = run["tool"]["driver"]["rules"]
        assert len({one["id"] for one in rules}) == len(rules)
        for one in rules:
            of_kind("rule", one)
            for text in ("shortDescription", "fullDescription", "help"):
                assert one[text]["text"]
            assert one["defaultConfiguration"]["level"] in {"none", "note", "warning", "error"}
        for one in run["results"]:
            of_kind("result", one)
            assert rules[one["ruleIndex"]]["id"] == one["ruleId"]
            assert one["level"] in {"none", "note", "warning", "error"}
            assert isinstance(one["message"]["text"], str)
            assert all(isinstance(mark, str) for mark in one["partialFingerprints"].values())
            for place in one["locations"]:
                location(place)
            for accepted in one.get("suppressions", []):
                assert accepted.keys() <= {"kind", "status", "justification"}
                assert accepted["kind"] in {"inSource", "external"}
                assert accepted["status"] in {"accepted", "underReview", "rejected"}
        for invocation in run["invocations"]:
            assert isinstance(invocation["executionSuccessful"], bool)
            for note in invocation["toolExecutionNotifications"]:
                assert note["level"] in {"none", "note", "warning", "error"}
                assert note["message"]["text"]


def location(place: dict[str, Any]) -> None:
    assert place.keys() <= {"physicalLocation", "logicalLocations"}
    if "physicalLocation" in place:
        physical = place["physicalLocation"]
        uri = physical["artifactLocation"]["uri"]
        assert re.fullmatch(r"[A-Za-z0-9._~!$&'()*+,;=:@/%-]*", uri), uri
        assert not re.search(r"%(?![0-9A-Fa-f]{2})", uri)
        assert physical.get("region", {"startLine": 1})["startLine"] >= 1
    for logical in place.get("logicalLocations", []):
        assert isinstance(logical["name"], str)


def test_the_log_keeps_to_the_rules_of_sarif() -> None:
    valid(json.loads(sarif.render(SEVERAL, PAGES)))
    valid(json.loads(sarif.render(Together(()))))


# Odd texts ----------------------------------------------------------------------------------

ODD = st.text(
    st.characters(codec=None)
    | st.sampled_from("\r\n\t\x00\x1b\x85\u2028\u2029:,%<>&\"']\ud800\udfff\ufffe#"),
    max_size=30,
)
PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126) | st.sampled_from("\r\n"))


def odd_report(text: str, file: str) -> Together:
    finding = Finding(
        text,
        text,
        where=Location(file.replace("\0", "") or "x", 3, text, text, text, source=text),
        evidence={text: text},
        alternatives=(text,),
        shows=(text,),
    )
    made = replace(
        report(
            found("AAA001", finding),
            Outcome(rule("AAA002"), Status.SKIPPED, reason=text),
            Outcome(rule("AAA003"), Status.CRASHED, reason=text or "x"),
            problems=(text,),
            suppressed=(
                Suppressed(rule("AAA004"), finding, Severity.NOTE, "comment", text, text),
            ),
        ),
        target=file.replace("\0", "") or "x",
    )
    return Together((made,), ((made.target, text),))


@given(ODD, ODD)
def test_any_text_in_sarif(text: str, file: str) -> None:
    rendered = sarif.render(odd_report(text, file), {"AAA001": text or "x"})
    assert rendered.isascii()
    log = json.loads(rendered)
    json.dumps(log, ensure_ascii=False).encode()  # no half of a pair
    valid(log)


@given(ODD, ODD)
def test_any_text_in_junit(text: str, file: str) -> None:
    rendered = junit.render(odd_report(text, file))
    assert rendered.isascii()
    suites = ET.fromstring(rendered)
    message = suites.findall(".//failure")[0].get("message", "")
    kept = re.sub("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)
    if kept == text:
        assert message == text


@given(ODD, ODD)
def test_any_text_in_a_command_stays_in_its_line(text: str, file: str) -> None:
    lines = github.render(odd_report(text, file)).encode("utf-8", "surrogatepass")
    told = lines.decode("utf-8", "surrogatepass").splitlines()
    assert len(told) == 5  # a finding, a crash, a problem, an unreadable target, the verdict
    assert [line.partition(" ")[0] for line in told[:4]] == [
        *("::error", "::warning", "::notice", "::error"),
    ]
    assert told[-1].startswith("pipedoctor: ")
    properties = told[0].removeprefix("::error ").partition("::")[0]
    assert [pair.partition("=")[0] for pair in properties.split(",")] == ["file", "line", "title"]


@given(PRINTABLE, PRINTABLE)
def test_the_runner_reads_what_was_meant(text: str, title: str) -> None:
    line = github.command("error", {"title": title}, text)
    properties, _, data = line.removeprefix("::error title=").partition("::")

    def undone(escaped: str, *signs: str) -> str:
        for sign in ("\r", "\n", *signs, "%"):
            escaped = escaped.replace(f"%{ord(sign):02X}", sign)
        return escaped

    assert undone(data) == text
    assert undone(properties, ":", ",") == title


@given(ODD, ODD)
def test_any_text_is_one_line_of_the_concise_report(text: str, file: str) -> None:
    assert concise.render(odd_report(text, file)).count("\n") == 4
