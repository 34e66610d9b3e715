"""
Starting a child, reading what it sends, and stopping it: within its time, whatever it does.

The child is the leader of a session of its own, so that all that it starts ends with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any

TICK = 0.1
"""Seconds between two looks at the clock."""


START = (
    "import json, sys; sys.path[:] = [folder for folder in sys.path if folder]; "
    "from pipedoctor.process.child import main; main(json.loads(sys.argv[1]))"
)
"""
What the child is started with: with `-m` or `-c` alone, a `random.py` in the working directory
would be imported for Python's own.
"""


@dataclass(frozen=True)
class Fate:
    """What became of a child: in words that follow "the process", and its last printed line."""

    text: str
    stopped: bool = False
    last_line: str = ""


def watch_child(
    request: dict[str, Any],
    seconds: float,
    printed: IO[bytes] | None,
    receive: Callable[[dict[str, Any]], None],
    tick: Callable[[], None],
) -> Fate:
    """
    Run a child to its end, or to the end of its time.

    `receive` gets each message; `tick` is called ten times a second. What the child prints goes
    to the file `printed`, or to our standard error. Its temporary files go with it.
    """
    reading, writing = os.pipe()
    arguments = json.dumps(request | {"descriptor": writing})
    with tempfile.TemporaryDirectory(prefix="pipedoctor-", ignore_cleanup_errors=True) as folder:
        child = subprocess.Popen(  # noqa: S603 - our own module, in the interpreter that runs us
            [sys.executable, "-c", START, arguments],
            stdin=subprocess.DEVNULL,
            stdout=printed or sys.stderr,
            stderr=printed or sys.stderr,
            env={**os.environ, "TMPDIR": folder},
            pass_fds=(writing,),
            start_new_session=True,
        )
        os.close(writing)
        try:
            with _leaving_on_signals():
                if not _read(reading, seconds, receive, tick):
                    return Fate(f"was stopped after {seconds:g} s", True, _last_line(printed))
                return Fate(_end(child), last_line=_last_line(printed))
        finally:
            os.close(reading)
            _stop(child)


@contextlib.contextmanager
def _leaving_on_signals() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into an exit, on whose way out the child is stopped."""

    def leave(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, leave) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _read(
    reading: int,
    seconds: float,
    receive: Callable[[dict[str, Any]], None],
    tick: Callable[[], None],
) -> bool:
    """
    Hand on all messages; return whether the last one came before the time was up.

    The end of the channel alone would not do: a process that the script has forked, and that
    sleeps, holds it open.
    """
    deadline = time.monotonic() + seconds
    for line in _lines(reading):
        if line:
            message = json.loads(line)
            receive(message)
            if message.get("done"):
                return True
        tick()
        if time.monotonic() > deadline:
            return False
    return True


def _lines(reading: int) -> Iterator[bytes]:
    """Yield the lines of a pipe until it is closed, and nothing (b"") when there is none yet."""
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(reading, selectors.EVENT_READ)
        while True:
            if not selector.select(timeout=TICK):
                yield b""
                continue
            chunk = os.read(reading, 1 << 16)
            if not chunk:
                return
            *whole, rest = (rest + chunk).split(b"\n")
            yield from whole


def _end(child: subprocess.Popen[bytes]) -> str:
    """Return how a child that has closed its channel ended."""
    try:
        status = child.wait(timeout=5)
    except subprocess.TimeoutExpired:
        return "fell silent"
    if status >= 0:
        return f"ended with exit status {status}"
    cause = ", for want of memory most likely," if -status == signal.SIGKILL else ""
    return f"was killed by {signal.Signals(-status).name}{cause}"


def _stop(child: subprocess.Popen[bytes]) -> None:
    """End the child and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _last_line(printed: IO[bytes] | None) -> str:
    """Return the last line that a child printed, if that was kept."""
    if printed is None:
        return ""
    printed.seek(max(0, printed.seek(0, os.SEEK_END) - 4096))
    lines = printed.read().decode(errors="replace").strip().splitlines()
    return lines[-1].strip()[:500] if lines else ""
