"""One examination a target, however many workers there are, and what becomes of one that fails."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from pytest_plugin.conftest import PYTEST, lines, runs

from pipedoctor import registry
from pipedoctor.fact import Cost
from pipedoctor.options import Options
from pipedoctor.pytest_plugin import examining
from pipedoctor.pytest_plugin.project import Project as Where
from pipedoctor.pytest_plugin.sharing import Examinations

Project = Callable[..., pytest.Pytester]


@pytest.mark.parametrize(
    "how",
    [("-p", "no:xdist"), ("-n", "2"), ("-n", "2", "--dist", "loadgroup")],
    ids=" ".join,
)
def test_a_target_is_run_once(project: Project, how: tuple[str, ...]) -> None:
    if "no:xdist" not in how:
        pytest.importorskip("xdist")
    there = project(num_labels=2)
    result = there.runpytest_subprocess("--pipedoctor", "--strict-markers", *how)
    counts = result.parseoutcomes()
    assert (counts["failed"], runs(there)) == (2, 1)
    assert counts["passed"] > 5
    assert counts["skipped"] > 5
    lines(result, "FAILED pipeline:build::LAB001* - The data has labels 0, 1, 2*")


def test_ids_reach_the_workers(project: Project) -> None:
    pytest.importorskip("xdist")
    there = project("pipeline:build", "nowhere.json", num_labels=2)
    result = there.runpytest_subprocess("--pipedoctor", "-n", "2", "pipeline:build::LAB001")
    assert result.parseoutcomes() == {"failed": 1}


def test_nothing_is_left_behind(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("xdist")
    there = project(num_labels=2)
    temporary = there.mkdir("temporary")
    monkeypatch.setenv("TMPDIR", str(temporary))
    there.runpytest_subprocess("--pipedoctor", "-n", "2", "-k", "LAB001 or HYP003")
    assert [path.name for path in temporary.iterdir() if "pipedoctor-" in path.name] == []


def test_an_interrupted_run_leaves_no_process_behind(pytester: pytest.Pytester) -> None:
    pytester.makepyprojecttoml("[tool.pipedoctor]\ntargets = ['train.py']")
    pytester.makepyfile(
        train="import os, time\n"
        "open('draft', 'w').write(str(os.getpid()))\n"
        "os.rename('draft', 'pid')\n"
        "time.sleep(100)\n"
    )
    run = subprocess.Popen([*PYTEST, "--pipedoctor"], cwd=pytester.path, stdout=subprocess.DEVNULL)
    pid = pytester.path / "pid"
    while not pid.exists():
        assert run.poll() is None
        time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    assert run.wait(60) == pytest.ExitCode.INTERRUPTED
    assert not psutil.pid_exists(int(pid.read_text()))


def where(folder: Path, *targets: str) -> Where:
    return Where(str(folder), Options(targets=targets), registry.load())


def test_workers_that_come_later_read_what_the_first_one_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def examine(target: str, *_: Any) -> dict[str, Any]:
        asked.append(target)
        return {"fault": f"no {target}", "printed": ""}

    monkeypatch.setattr(examining, "examine", examine)
    for _ in range(2):
        worker = Examinations(where(tmp_path, "a.py", "b.py"), Cost.STATIC, str(tmp_path))
        assert [worker.of(name).fault for name in ("a.py", "b.py", "a.py")] == [
            "no a.py",
            "no b.py",
            "no a.py",
        ]
    assert asked == ["a.py", "b.py"]


def test_an_examination_that_tells_nothing_is_an_error_of_every_item(project: Project) -> None:
    there = project("run.json")
    there.makefile(".json", run='{"max_steps": 10}')
    # Python imports this in each process that it starts; ours then can't come to an answer.
    there.makepyfile(
        sitecustomize="import sys\n"
        "if any('examining' in word for word in sys.orig_argv): sys.exit('no way')\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(there.path))
        result = there.runpytest_subprocess("--pipedoctor", "-k", "LAB001 or ready")
    assert result.parseoutcomes()["errors"] == 2
    lines(result, "the process that examines run.json ended with exit status 1, which is pipedoc*")


def test_a_target_that_is_gone_when_its_turn_comes(project: Project) -> None:
    there = project("run.json")
    there.makefile(".json", run='{"max_steps": 10}')
    there.makepyfile(test_it="import os\ndef test_it(): os.unlink('run.json')")
    result = there.runpytest_subprocess("--pipedoctor", "-k", "LAB001 or test_it")
    assert result.parseoutcomes()["errors"] == 1
    lines(result, "run.json does not exist*")


def test_a_check_that_crashes_is_an_error(project: Project) -> None:
    there = project(num_labels=2)
    there.makepyfile(
        sitecustomize="""
        def broken(self, *facts, **options):
            raise ZeroDivisionError("in the check")

        from pipedoctor.declare import Check
        Check.__call__ = broken
        """
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(there.path))
        result = there.runpytest_subprocess("--pipedoctor", "-k", "LAB001")
    assert result.parseoutcomes()["errors"] == 1
    lines(result, "LAB001 label-out-of-range crashed, a bug in the check, not in your pipeline")
    lines(result, "ZeroDivisionError: in the check")
