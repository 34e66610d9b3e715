"""Scripts and factories, unmodified, through the command line."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from capture.pipelines import TRAINS, Check, codes, script

pytest.importorskip("transformers")


def test_a_healthy_script_is_ready_and_does_not_train(check: Check) -> None:
    status, report, stderr = check(TRAINS)
    assert (status, codes(report), report["ready"]) == (0, [], True)
    assert "trained" not in stderr
    facts = {(fact["fact"], fact.get("split")): fact for fact in report["facts"]}
    assert facts["Forward", "train"]["rows"] > 0
    assert facts["Trainings", None]["started"] == 1


def test_its_own_arguments_reach_it(check: Check) -> None:
    status, report, _ = check(TRAINS, "--", "--num_labels", "2")
    assert (status, codes(report)) == (1, ["LAB001"])


def test_what_it_raises_is_told_at_its_own_line(check: Check) -> None:
    status, report, _ = check(script("open('no such file')"))
    first = report["findings"][0]
    assert (status, first["code"], first["status"]) == (1, "RUN001", "blocked")
    assert first["where"]["source"] == "open('no such file')"
    assert first["where"]["file"].endswith("train.py")


@pytest.mark.parametrize(
    ("body", "ended"),
    [
        ("build()", "ran to its end"),
        ("import sys; sys.exit('no data')", "ended itself with 'no data'"),
    ],
)
def test_a_script_that_never_trains(check: Check, body: str, ended: str) -> None:
    status, report, _ = check(script(body))
    assert (status, codes(report)) == (1, ["RUN002"])
    assert ended in report["findings"][0]["message"]


def test_an_argument_that_it_asks_for_is_shown(check: Check) -> None:
    status, report, stderr = check(TRAINS, "--", "--num_lebels", "2")
    assert (status, codes(report)) == (1, ["RUN002"])
    assert "unrecognized arguments: --num_lebels" in stderr


def test_catching_everything_does_not_hold_us(check: Check) -> None:
    body = "try:\n    build().train()\nexcept Exception:\n    pass\nprint('went on')"
    status, report, stderr = check(script(body))
    assert (status, report["ready"]) == (0, True)
    assert "went on" not in stderr


def test_what_it_prints_does_not_spoil_the_report(check: Check) -> None:
    body = (
        "import os, sys\nprint('hello')\nos.write(1, bytes(range(256)))\n"
        "sys.stdout = open(os.devnull, 'w')\nos.chdir('/')\nbuild().train()"
    )
    (status, report, stderr) = _bytes_tolerant(check, script(body))
    assert (status, report["ready"]) == (0, True)
    assert "hello" in stderr


def _bytes_tolerant(check: Check, text: str) -> tuple[int, dict[str, Any], str]:
    try:
        return check(text)
    except UnicodeDecodeError:  # the script's own bytes came through standard error, as they are
        return check(text.replace("bytes(range(256))", "b'binary'"))


def test_a_script_that_kills_its_process(check: Check) -> None:
    status, report, _ = check(script("import os; os._exit(7)"))
    assert (status, codes(report)[0]) == (1, "RUN001")
    assert "ended with exit status 7" in report["findings"][0]["message"]


def test_a_script_that_loops_for_ever(check: Check) -> None:
    status, report, _ = check("while True: pass\n", "--time", "2")
    assert (status, codes(report)) == (4, ["RUN003"])


def test_a_script_that_is_no_python(check: Check) -> None:
    status, report, stderr = check("def f(:\n")
    assert (status, report) == (2, {})
    assert stderr.startswith("pipedoctor: train.py:1: ")


def test_a_metric_that_cannot_be_had_keeps_nobody_from_the_trainer(check: Check) -> None:
    pytest.importorskip("evaluate")
    body = "import evaluate\nmetric = evaluate.load('no_such_metric')\nbuild().train()"
    status, report, _ = check(script(body))
    assert (status, report["ready"]) == (0, True)
    assert "no_such_metric" in report["problems"][0]


def test_a_factory(check: Check, tmp_path: Path) -> None:
    text = TRAINS.replace("build().train()\n", "").replace("parse_args()", "parse_args([])")
    status, report, _ = check(text, target="train:build")
    assert (status, codes(report), report["ready"]) == (0, [], True)
    parts = "\n\ndef parts():\n    return {'train_data': [{'labels': n} for n in range(4)], 'settings': {'num_labels': 2}}\n"
    status, report, _ = check(parts, target="train:parts")
    assert (status, codes(report)[0]) == (1, "LAB001")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def build(): return 3\n", "returned int, neither a Trainer nor a mapping of parts"),
        ("def build(): return {'modle': 3}\n", "unknown part 'modle'"),
        ("def build(): 1 / 0\n", "ZeroDivisionError"),
        ("", "train.py has no function build"),
    ],
)
def test_a_factory_that_fails(check: Check, text: str, message: str) -> None:
    status, report, _ = check(text, target="train:build")
    first = report["findings"][0]
    assert (status, first["code"]) == (1, "RUN001")
    assert message in first["message"]


def test_arguments_are_for_scripts(check: Check) -> None:
    status, _, stderr = check("", "--", "--x", target="train:build")
    assert (status, "takes no arguments" in stderr) == (2, True)


def test_nothing_of_the_script_runs_after_the_examination(check: Check, tmp_path: Path) -> None:
    body = "try:\n    build().train()\nfinally:\n    open('saved', 'w')\nimport atexit"
    status, report, _ = check(script(body))
    assert (status, report["ready"]) == (0, True)
    assert not (tmp_path / "saved").exists()


def test_a_script_that_interrupts_itself(check: Check) -> None:
    status, report, _ = check(script("raise KeyboardInterrupt"))
    first = report["findings"][0]
    assert (status, first["code"]) == (1, "RUN001")
    assert "KeyboardInterrupt" in first["message"]


def test_an_end_from_outside_ends_the_script_too(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(
        "import os\nopen('pid', 'w').write(str(os.getpid()))\nwhile True: pass\n"
    )
    words = [sys.executable, "-m", "pipedoctor", "check", "train.py"]
    with subprocess.Popen(
        words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        for _ in range(600):
            if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text():
                break
            time.sleep(0.05)  # the script is not there yet
        child = psutil.Process(int((tmp_path / "pid").read_text()))
        process.terminate()
        process.wait(timeout=30)
        psutil.wait_procs([child], timeout=30)
        assert not child.is_running()
        assert process.returncode == 128 + signal.SIGTERM
