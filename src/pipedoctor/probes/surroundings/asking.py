"""Asking a question that needs a heavy import of a short-lived child process."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

PLAIN = "import sys; sys.path[:] = [folder for folder in sys.path if folder]; "
"""Begins what a child runs: a `random.py` in the working directory is no module of Python's."""


@dataclass(frozen=True)
class Answer:
    """What a child answered, or how it ended without an answer."""

    value: Any
    failure: str = ""
    late: bool = False


def ask(expression: str, setup: str, seconds: float) -> Answer:
    """
    Run `setup` in a child, then return the value of an expression, which JSON must hold.

    What the child prints besides is dropped, and what it starts ends with it.
    """
    # The answer is marked: libraries print what they like where they like.
    code = f"{PLAIN}import json\n{setup}\nprint('\\n\\0' + json.dumps({expression}) + '\\0')"
    child = subprocess.Popen(  # noqa: S603 - our own interpreter, with our own words
        [sys.executable, "-c", code],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    with child:
        try:
            out, err = child.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            _kill(child)
            return Answer(None, f"it took longer than {seconds:g} s", late=True)
    if out.count(b"\0") >= 2:
        return Answer(json.loads(out.split(b"\0")[-2]))
    return Answer(None, _last(err) or _ended(child.returncode))


def _kill(child: subprocess.Popen[bytes]) -> None:
    import os
    import signal

    if hasattr(os, "killpg"):
        os.killpg(child.pid, signal.SIGKILL)
    else:
        child.kill()


def _last(printed: bytes) -> str:
    """Return the last line of a traceback: "ImportError: libcudart.so.12: cannot open ..."."""
    lines = printed.decode(errors="replace").strip().splitlines()
    errors = [
        line.strip() for line in lines if line[:1].isalpha() and "Error" in line.split(":")[0]
    ]
    return (errors or [line.strip() for line in lines] or [""])[-1][:500]


def _ended(status: int) -> str:
    if status < 0:
        import signal

        return f"the process was killed by {signal.Signals(-status).name}"
    return f"the process ended with exit status {status}"
