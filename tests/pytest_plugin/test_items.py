"""`pytest --pipedoctor`: a target as items, one a check."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable

import pytest
from pytest_plugin.conftest import PYTEST, lines, runs

Project = Callable[..., pytest.Pytester]
BROKEN = {"num_labels": 2, "max_steps": 10, "warmup_steps": 1000}


def outcomes(result: pytest.RunResult) -> dict[str, str]:
    """Return what became of each item, from the lines of `-v`."""
    told = (line.split(" ") for line in result.outlines if "::" in line and "%]" in line)
    return {words[0]: words[1] for words in told}


def test_what_is_found_fails_and_the_rest_passes_or_is_skipped_with_its_reason(
    project: Project,
) -> None:
    result = project(**BROKEN).runpytest_subprocess("--pipedoctor", "-v", "-rs")
    lines(result, "SKIPPED [[]*] pipeline:build: nothing was given that tells *")
    told = outcomes(result)
    assert told["pipeline:build::LAB001"] == "FAILED"
    assert told["pipeline:build::HYP003"] == "FAILED"
    assert told["pipeline:build::HYP004"] == "PASSED"
    assert told["pipeline:build::LOS002"] == "SKIPPED"
    assert told["pipeline:build::ready"] == "FAILED"
    assert [name for name, word in told.items() if word == "FAILED"] == [
        "pipeline:build::ready",
        "pipeline:build::HYP003",
        "pipeline:build::LAB001",
    ]


def test_a_finding_is_told_as_on_the_command_line(project: Project) -> None:
    result = project(**BROKEN).runpytest_subprocess("--pipedoctor", "-k", "LAB001")
    assert result.parseoutcomes()["failed"] == 1
    lines(
        result,
        "* pipeline:build: LAB001 label-out-of-range *",
        "* LAB001 label-out-of-range *error",
        "  The data has labels 0, 1, 2 but the head has 2 outputs; 1 of 3 rows*",
        '  fix  set "num_labels": 3',
        "FAILED pipeline:build::LAB001 - The data has labels 0, 1, 2 but *",
    )
    result.stdout.no_fnmatch_line("*items.py*")
    result.stdout.no_fnmatch_line("*HYP003*")


def test_ready_shows_the_whole_report_and_what_the_target_printed(project: Project) -> None:
    result = project(**BROKEN).runpytest_subprocess("--pipedoctor", "-k", "ready")
    lines(
        result,
        "* pipeline:build: ready *",
        "pipeline:build * factory *",
        "* LAB001 label-out-of-range *",
        "* HYP003 warmup-outlasts-training *",
        "Not ready: 1 error, 1 warning*",
        "* Printed by pipeline:build *",
        "building it",
        "FAILED pipeline:build::ready - LAB001 label-out-of-range: The data*",
    )


def test_the_first_failure_is_the_whole_report(project: Project) -> None:
    result = project(**BROKEN).runpytest_subprocess("--pipedoctor", "-x")
    result.assert_outcomes(failed=1)
    lines(result, "Not ready: 1 error, 1 warning*")


def test_a_fault_can_be_chosen_by_its_name(project: Project) -> None:
    result = project(**BROKEN).runpytest_subprocess("--pipedoctor", "-k", "warmup-outlasts-tr")
    assert "failed" in result.parseoutcomes()
    lines(result, "FAILED pipeline:build::HYP003 - Warm-up takes 1,000 of 10 steps*")
    result.stdout.no_fnmatch_line("FAILED *LAB001*")


def test_notes_pass_unless_they_are_to_fail(project: Project) -> None:
    there = project(table="severity = {LAB001 = 'note'}", num_labels=2)
    chosen = ("--pipedoctor", "-k", "LAB001")
    mild = there.runpytest_subprocess(*chosen, "-rP")
    assert mild.parseoutcomes()["passed"] == 1
    lines(mild, "* LAB001 label-out-of-range *note")
    strict = there.runpytest_subprocess(*chosen, "--pipedoctor-fail-on", "note")
    assert strict.parseoutcomes()["failed"] == 1


def test_the_table_chooses_the_items(project: Project) -> None:
    there = project(table="select = ['LAB']\nignore = ['LAB001']", num_labels=2)
    told = outcomes(there.runpytest_subprocess("--pipedoctor", "-v"))
    assert "pipeline:build::LAB002" in told
    assert "pipeline:build::LAB001" not in told
    assert "pipeline:build::HYP003" not in told


def test_the_target_that_raises_fails_once_and_skips_the_rest(pytester: pytest.Pytester) -> None:
    pytester.makepyprojecttoml("[tool.pipedoctor]\ntargets = ['train.py -- --rows 3']")
    pytester.makepyfile(train="import sys\nraise ValueError(f'no data for {sys.argv[1:]}')")
    result = pytester.runpytest_subprocess("--pipedoctor", "-rsf")
    counts = result.parseoutcomes()
    assert counts["failed"] == 2
    assert "passed" not in counts or counts["passed"] < counts["skipped"]
    lines(
        result,
        "SKIPPED [[]*] train.py -- --rows 3: blocked by RUN001: *no data for *",
        "FAILED train.py -- --rows 3::ready - RUN001 your-code-raised: *",
        "FAILED train.py -- --rows 3::RUN001 - *",
    )


def test_a_target_that_cannot_be_read_is_one_sentence(project: Project) -> None:
    there = project("nowhere.py", "broken.py", "pipeline:build")
    there.makepyfile(broken="def (")
    result = there.runpytest_subprocess("--pipedoctor")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    lines(
        result,
        "* ERROR collecting nowhere.py *",
        "nowhere.py does not exist*",
        "* ERROR collecting broken.py *",
        "broken.py:1: *; Python can't read the script",
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    assert runs(there) == 0


def test_collecting_runs_nothing(project: Project) -> None:
    there = project("pipeline:build", "train.py")
    there.makepyfile(train="open('runs', 'a').write('run\\n')")
    result = there.runpytest_subprocess("--pipedoctor", "--collect-only")
    lines(
        result,
        "<Pipeline pipeline:build>",
        "  <Ready ready>",
        "  <Check LAB001>",
        "<Pipeline tr*>",
    )
    assert runs(there) == 0


@pytest.mark.parametrize("name", ["pipeline:build", "train.py -- --n 1", "train.py"])
def test_an_item_can_be_named(project: Project, name: str) -> None:
    there = project(name)
    there.makepyfile(train="open('runs', 'a').write('run\\n')")
    result = there.runpytest_subprocess("--pipedoctor", "-v", f"{name}::RUN002", "--collect-only")
    assert (result.parseoutcomes(), runs(there)) == ({"test": 1}, 0)
    lines(result, f"<Pipeline {name}>", "  <Check RUN002>")


def test_a_target_can_be_named_among_tests_and_from_another_folder(project: Project) -> None:
    there = project("train.py", "pipeline:build")
    there.makepyfile(train="1", test_one="def test_one(): pass", test_two="def test_two(): pass")
    words = ("../test_one.py", "../train.py", "../train.py::LAB001")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(there.mkdir("inner"))
        result = there.run(*PYTEST, "--pipedoctor", "--collect-only", "-q", *words)
    assert result.ret == 0
    text = result.stdout.str()
    assert "test_one.py::test_one" in text
    assert "train.py::ready" in text
    assert text.count("train.py::LAB001") == 1
    assert "pipeline:build" not in text
    assert "test_two" not in text


def test_an_item_that_there_is_none_of(project: Project) -> None:
    result = project().runpytest_subprocess("--pipedoctor", "pipeline:build::LAB999")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    lines(result, "pipeline:build has no item LAB999")


def test_tests_and_targets_run_together_or_apart(project: Project) -> None:
    there = project(num_labels=3)
    there.makepyfile(test_it="def test_it(): pass")
    only_targets = there.runpytest_subprocess(
        "--pipedoctor", "-v", "-m", "pipedoctor", "--strict-markers"
    )
    assert set(outcomes(only_targets)) >= {"pipeline:build::LAB001"}
    assert "test_it.py::test_it" not in outcomes(only_targets)
    only_tests = there.runpytest_subprocess("--pipedoctor", "-v", "-m", "not pipedoctor")
    assert set(outcomes(only_tests)) == {"test_it.py::test_it"}


def test_junit_has_message_and_text(project: Project) -> None:
    there = project(**BROKEN)
    there.runpytest_subprocess("--pipedoctor", "--junitxml", "report.xml")
    cases = {
        case.get("name"): case
        for case in ET.parse(there.path / "report.xml").getroot().iter("testcase")
    }
    failure = cases["LAB001"].find("failure")
    assert failure is not None
    assert failure.get("message", "").startswith("The data has labels 0, 1, 2")
    assert 'set "num_labels": 3' in (failure.text or "")
    skipped = cases["LOS002"].find("skipped")
    assert skipped is not None
    assert "was given" in skipped.get("message", "")


def test_a_config_in_the_process_s_own_folder(pytester: pytest.Pytester) -> None:
    pytester.makepyprojecttoml("[tool.pipedoctor]\ntargets = ['configs/run.json']")
    pytester.mkdir("configs").joinpath("run.json").write_text(
        '{"output_dir": "out",\n "max_steps": 10,\n "warmup_steps": 1000}'
    )
    result = pytester.runpytest_subprocess(
        "--pipedoctor", "--pipedoctor-depth", "static", "-rs", "--tb=line"
    )
    lines(result, "*run.json:3: Warm-up takes 1,000 of 10 steps*")
    lines(result, "SKIPPED [[]*] configs/run.json: *needs --pipedoctor-depth files*")
    assert result.parseoutcomes()["failed"] == 2
    assert not (pytester.path / "out").exists()


def test_ready_is_skipped_where_the_user_asked_for_less(pytester: pytest.Pytester) -> None:
    table = "[tool.pipedoctor]\ntargets = ['run.json']\n"
    pytester.makefile(".json", run='{"output_dir": "out", "max_steps": 10, "logging_steps": 1}')
    chosen = ("--pipedoctor", "-rs", "run.json::ready")
    pytester.makepyprojecttoml(table)
    shallow = pytester.runpytest_subprocess(*chosen, "--pipedoctor-depth", "static")
    lines(shallow, "SKIPPED [[]1] run.json: the model was not run: needs --pipedoctor-depth forw*")
    deep = pytester.runpytest_subprocess(*chosen)
    assert deep.parseoutcomes()["failed"] == 1
    lines(deep, "*leave this item out: --deselect 'run.json::ready'*")
    pytester.makepyprojecttoml(table + "select = ['HYP']")
    narrow = pytester.runpytest_subprocess(*chosen)
    lines(narrow, "SKIPPED [[]1] run.json: the model was not run: no selected check needs that")


def test_only_what_failed_can_be_run_again(project: Project) -> None:
    there = project(**BROKEN)
    there.makepyfile(test_it="def test_it(): pass")
    there.runpytest_subprocess("--pipedoctor")
    again = there.runpytest_subprocess("--pipedoctor", "--lf", "-v")
    assert set(outcomes(again).values()) == {"FAILED"}
    assert len(outcomes(again)) == 3
