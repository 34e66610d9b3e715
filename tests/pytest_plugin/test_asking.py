"""What is asked for: the option, the table of the project; and what pytest does without them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
from pytest_plugin.conftest import PYTEST, lines, runs

from pipedoctor.fact import Cost
from pipedoctor.pytest_plugin import DEPTHS

Project = Callable[..., pytest.Pytester]


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("targets = 'train.py'", "targets takes a list such as *\"train.py\"*, not 'train.py'"),
        ("target = ['train.py']", "unknown key 'target' in *targets*"),
        ("targets = []", "ERROR: --pipedoctor: no targets to examine; list them in *"),
        ("select = ['ZZZ']\ntargets = ['train.py']", "no check has a code like 'ZZZ'*"),
    ],
)
def test_a_table_that_makes_no_sense_is_wrong_usage(
    pytester: pytest.Pytester, table: str, sentence: str
) -> None:
    pytester.makepyprojecttoml(f"[tool.pipedoctor]\n{table}")
    result = pytester.runpytest_subprocess("--pipedoctor")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(f"*{sentence}")
    result.stderr.no_fnmatch_line("*Traceback*")


def test_a_target_that_is_listed_twice_is_examined_once(project: Project) -> None:
    there = project("pipeline:build", "pipeline:build")
    result = there.runpytest_subprocess("--pipedoctor", "--collect-only", "-q")
    assert sum(line == "pipeline:build::LAB001" for line in result.outlines) == 1


def test_without_the_option_nothing_is_added(project: Project) -> None:
    there = project(num_labels=2)
    there.makepyfile(test_it="def test_it(): pass")
    result = there.runpytest_subprocess("--strict-markers", "-W", "error")
    result.assert_outcomes(passed=1)
    assert runs(there) == 0


def test_without_the_option_a_wrong_table_disturbs_nobody(pytester: pytest.Pytester) -> None:
    pytester.makepyprojecttoml("[tool.pipedoctor]\ntargets = 1")
    pytester.makepyfile("def test_it(): pass")
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_without_the_option_pytest_imports_one_module_of_ours(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        "import sys\n"
        "def pytest_unconfigure():\n"
        "    print('OURS', sorted(m for m in sys.modules if m.startswith('pipedoctor')))\n"
    )
    pytester.makepyfile("def test_it(): pass")
    result = pytester.runpytest_subprocess()
    lines(result, "OURS ?'pipedoctor', 'pipedoctor.pytest_plugin'?")


def test_the_module_itself_imports_nothing_but_pytest() -> None:
    code = (
        "import sys, pytest; before = set(sys.modules); import pipedoctor.pytest_plugin; "
        "print(sorted(set(sys.modules) - before))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "['pipedoctor', 'pipedoctor.pytest_plugin']"


def test_the_depths_are_those_that_there_are() -> None:
    assert [cost.name.lower() for cost in Cost] == list(DEPTHS)


def test_the_table_is_found_wherever_pytest_is_started(project: Project) -> None:
    there = project(num_labels=2)
    tests = there.mkdir("tests")
    (tests / "pytest.ini").write_text("[pytest]")
    (tests / "test_it.py").write_text("def test_it(): pass")
    listing = (*PYTEST, "--pipedoctor", "--collect-only", "-q")
    for folder, words in ((there.path, ("tests",)), (tests, ()), (tests, ("test_it.py",))):
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            result = there.run(*listing, *words)
        assert "pipeline:build::LAB001" in result.outlines


@pytest.mark.parametrize("how", ["--capture=fd", "--capture=sys", "--capture=no"])
def test_however_pytest_captures_what_a_target_prints_is_kept_apart(
    project: Project, how: str
) -> None:
    result = project(num_labels=2).runpytest_subprocess("--pipedoctor", "-k", "LAB001", how)
    assert result.parseoutcomes()["failed"] == 1
    result.stdout.no_fnmatch_line("*building it*")


def test_a_target_does_not_see_that_it_is_run_by_pytest(project: Project) -> None:
    there = project("seen:build")
    there.makepyfile(
        seen="import os\ndef build():\n"
        "    open('seen', 'w').write(' '.join(sorted(n for n in os.environ if 'PYTEST' in n)))\n"
        "    return {'settings': {}}"
    )
    there.runpytest_subprocess("--pipedoctor", "-k", "LAB001")
    assert (there.path / "seen").read_text() == ""
