"""Whatever becomes of the process that loads data and model, the report is written."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from cli.conftest import config, project  # noqa: F401 - fixtures are found by their names


@pytest.fixture
def running(project: Path, config: Callable[..., str]) -> Iterator[subprocess.Popen[str]]:  # noqa: F811
    """`pipedoctor check` on a healthy config, with its child already started."""
    words = [sys.executable, "-m", "pipedoctor", "check", config(), "--output-format", "json"]
    environment = {**os.environ, "NO_COLOR": "1"}
    with subprocess.Popen(
        words,
        cwd=project,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def child_of(process: subprocess.Popen[str]) -> psutil.Process:
    for _ in range(600):
        for child in psutil.Process(process.pid).children():
            with contextlib.suppress(psutil.Error):  # it may be gone already
                if any("pipedoctor.process.child" in word for word in child.cmdline()):
                    return child
        time.sleep(0.05)  # the child is not there yet
    raise AssertionError("no child was started")


def finish(process: subprocess.Popen[str]) -> dict:
    stdout, stderr = process.communicate(timeout=120)
    assert "Traceback" not in stderr
    return json.loads(stdout)


def test_killed(running: subprocess.Popen[str]) -> None:
    child_of(running).send_signal(signal.SIGKILL)
    report = finish(running)
    first, *_ = report["findings"]
    assert (first["code"], first["status"]) == ("RUN001", "blocked")
    assert "was killed by SIGKILL, for want of memory most likely" in first["message"]
    assert running.returncode == 1
    assert not report["ready"]
    reasons = {c["code"]: (c["status"], c["blocked_by"]) for c in report["checks"]}
    assert reasons["LAB001"] == ("blocked", "RUN001")
    assert reasons["HYP003"] == ("passed", None)


def test_stopped_for_time(project: Path, config: Callable[..., str]) -> None:  # noqa: F811
    words = [sys.executable, "-m", "pipedoctor", "check", config(), "--time", "0.01"]
    done = subprocess.run(
        [*words, "--output-format", "json"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(done.stdout)
    first, *_ = report["findings"]
    assert first["code"] == "RUN003"
    assert "was stopped after 0.01 s" in first["message"]
    assert "--time" in first["remedy"]
    assert (done.returncode, report["ready"]) == (4, False)
    assert report["cut"].startswith("time ran out after 0.01 s while starting")
    assert first["severity"] == "note"
    statuses = {check["status"] for check in report["checks"]}
    assert "blocked" not in statuses


def test_interrupted(running: subprocess.Popen[str]) -> None:
    child = child_of(running)
    running.send_signal(signal.SIGINT)
    stdout, stderr = running.communicate(timeout=60)
    assert running.returncode == 130
    assert (stdout, stderr) == ("", "pipedoctor: interrupted; nothing was changed\n")
    psutil.wait_procs([child], timeout=10)
    assert not child.is_running()


def test_a_child_that_hangs_is_stopped_with_all_it_started(running: subprocess.Popen[str]) -> None:
    child = child_of(running)
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=60)
    psutil.wait_procs([child], timeout=30)
    assert not child.is_running()


def test_a_child_that_nobody_listens_to_ends_quietly() -> None:
    code = (
        "import os\n"
        "from pipedoctor.process.child import Child\n"
        "reading, writing = os.pipe()\n"
        "os.close(reading)\n"
        "child = Child.__new__(Child)\n"
        "child._channel, child._process = os.fdopen(writing, 'w'), os.getpid()\n"
        "child.send(doing='nothing')\n"
        "print('went on')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
