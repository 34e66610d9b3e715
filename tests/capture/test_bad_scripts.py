"""Scripts that do what scripts had better not do: the report is written all the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from capture.pipelines import script

pytest.importorskip("transformers")

Check = Callable[..., tuple[int, dict[str, Any], str]]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """
    Check a script, with a module beside it; return the status, the report and what was printed.

    However bad the script, nothing of ours is in what is printed, and no check has crashed.
    """

    def run(text: str, seconds: int = 120) -> tuple[int, dict[str, Any], str]:
        (tmp_path / "train.py").write_text(text, "utf-8")
        (tmp_path / "helpers.py").write_text("VALUE = 3\n")
        words = ["check", "train.py", "--output-format", "json", "--time", str(seconds)]
        done = subprocess.run(
            [sys.executable, "-m", "pipedoctor", *words],
            cwd=tmp_path,
            env={**os.environ, "NO_COLOR": "1"},
            capture_output=True,
            check=False,
            timeout=240,
        )
        printed = done.stderr.decode("utf-8", "replace")
        assert "pipedoctor/" not in printed, printed[-3000:]
        report = json.loads(done.stdout)
        assert [one for one in report["checks"] if one["status"] == "crashed"] == []
        assert report["problems"] == []
        return done.returncode, report, printed

    return run


def first(report: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = report["findings"][0]
    return found


UNRULY = '''
"""A script with a life of its own."""
from __future__ import annotations

import os, pickle, sys, threading, time, warnings

import helpers

assert os.path.basename(sys.argv[0]) == "train.py"
assert os.path.abspath(__file__) == os.path.abspath("train.py")
assert sys.path[0] == os.path.dirname(os.path.abspath(__file__))
assert helpers.VALUE == 3


def hook(*told):
    print("the script's own hook")


def waits():
    time.sleep(600)


assert pickle.loads(pickle.dumps(waits)) is waits
sys.excepthook = hook
threading.Thread(target=waits).start()
if os.fork() == 0:
    waits()
print("x" * 3_000_000)
sys.stdout.buffer.write(bytes(range(256)) * 1000)
os.mkdir("elsewhere")
os.chdir("elsewhere")
os.environ.clear()
sys.path.clear()
warnings.simplefilter("error")
'''


def test_an_unruly_script_is_examined_as_any_other(check: Check, tmp_path: Path) -> None:
    """The process that it has forked would hold the channel open for ten minutes."""
    body = script("build().train()").replace("options = parser", f"{UNRULY[1:]}options = parser")
    text = "from __future__ import annotations\n" + body.replace(
        "from __future__ import annotations\n", ""
    )
    status, report, printed = check(text)
    assert (status, report["ready"], report["findings"]) == (0, True, []), printed[-2000:]
    assert len(printed) > 3_000_000


ENDINGS = {
    "stdout replaced": "import io, sys\nsys.stdout = sys.stderr = io.StringIO()\nbuild().train()",
    "streams closed": "import os, sys\nsys.stdout.close()\nsys.stderr.close()\nos.close(1)\nos.close(2)\n"
    "build().train()",
    "everything caught": "try:\n    build().train()\nexcept BaseException:\n    pass\n"
    "print('went on')",
    "its own file deleted": "import os\nos.remove(__file__)\nbuild().train()",
    "os._exit at exit": "import atexit, os\natexit.register(os._exit, 3)\nbuild().train()",
    "in a thread": "import threading\nthread = threading.Thread(target=lambda: build().train())\n"
    "thread.start()\nthread.join()",
    "a trainer with a train of its own": "class Mine(Trainer):\n    def train(self, *words, **more):\n"
    "        print('mine')\n        return super().train(*words, **more)\n\n"
    "Trainer = Mine\nbuild().train()",
    "signals ignored": "import signal\nfor number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):\n"
    "    signal.signal(number, signal.SIG_IGN)\nbuild().train()",
    "in a coroutine": "import asyncio\n\nasync def main():\n    build().train()\n\nasyncio.run(main())",
    "from a forked process": "import os\nif os.fork():\n    os.wait()\nelse:\n    build().train()",
    "by a launcher": "from accelerate import notebook_launcher\n\ndef main():\n    build().train()\n\n"
    "notebook_launcher(main, num_processes=1)",
    "by a launcher of two processes": "from accelerate import debug_launcher\n\ndef main():\n"
    "    build().train()\n\ndebug_launcher(main, num_processes=2)",
    "processes spawned": "import multiprocessing\n\nif __name__ == '__main__':\n"
    "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
    "        print(pool.map(abs, [-1]))\n    build().train()",
    "a map in two processes": "data = Dataset.from_dict({'a': [1, 2, 3, 4]})\n\ndef twice(row):\n"
    "    return {'b': row['a'] * 2}\n\ndata.map(twice, num_proc=2)\nbuild().train()",
}
DEFAULT = ("streams closed", "from a forked process")
"""In the default suite; the others take their seconds in the deep one."""


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(body, id=what, marks=[] if what in DEFAULT else pytest.mark.deep)
        for what, body in ENDINGS.items()
    ],
)
def test_the_training_is_reached_whatever_is_around_it(check: Check, body: str) -> None:
    status, report, printed = check(script(body))
    assert (status, report["ready"], report["findings"]) == (0, True, []), printed[-2000:]
    assert "went on" not in printed


def test_a_script_that_asks_for_input_gets_none_and_is_told_so(check: Check) -> None:
    status, report, _ = check("input('name? ')")
    first = report["findings"][0]
    assert (status, first["code"], first["status"]) == (1, "RUN002", "blocked")
    assert "pipedoctor run" in first["remedy"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import os\nos.remove(__file__)\nraise ValueError('gone')", "ValueError: gone"),
        ("import sys\nsys.excepthook = print\nraise ValueError('mine')", "ValueError: mine"),
        ("if __name__ == '__main__':\n    raise RuntimeError('here')", "RuntimeError: here"),
        ("from . import helpers", "ImportError: attempted relative import"),
        ("def f(): f()\nf()", "RecursionError"),
        ("x = bytearray(10**15)", "MemoryError"),
        ("raise GeneratorExit('x')", "GeneratorExit: x"),
        ("raise ValueError('x' * 5_000_000)", f"ValueError: {'x' * 250}"),
        ("raise ValueError('bad \\udcff \\x00 \\x1b[31m')", "ValueError: bad"),
        (
            "class Odd(Exception):\n    def __str__(self): raise KeyError('odd')\nraise Odd",
            "raised Odd",
        ),
    ],
)
def test_what_it_raises_is_told(check: Check, text: str, message: str) -> None:
    status, report, _ = check(text)
    assert (status, first(report)["code"]) == (1, "RUN001")
    assert message in first(report)["message"]
    assert first(report)["where"]["file"].endswith("train.py")


@pytest.mark.parametrize(
    ("text", "ended"),
    [
        ("import atexit, os\natexit.register(os._exit, 3)", "ran to its end"),
        ("import sys\nsys.exit()", "ended itself with None"),
        (
            "class Odd:\n    def __repr__(self): raise KeyError('odd')\nraise SystemExit(Odd())",
            "ended itself with Odd",
        ),
    ],
)
def test_it_never_trains(check: Check, text: str, ended: str) -> None:
    status, report, _ = check(text)
    assert (status, first(report)["code"]) == (1, "RUN002")
    assert ended in first(report)["message"]


def test_text_that_is_no_unicode_is_written_to_a_file_too(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("raise ValueError('bad \\udcff')")
    words = ["check", "train.py", "-o", "report.txt"]
    done = subprocess.run(
        [sys.executable, "-m", "pipedoctor", *words],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 1
    assert "ValueError: bad \\udcff" in (tmp_path / "report.txt").read_text("utf-8")
