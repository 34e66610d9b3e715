"""In a terminal: colour, the width of the window, and a progress line that leaves no trace."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import pytest

ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def in_terminal(words: list[str], folder: Path, columns: int, **environment: str) -> str:
    """Run pipedoctor in a terminal of its own; return all that it wrote there."""
    child, terminal = pty.fork()
    if child == 0:  # pragma: no cover - becomes another program
        os.chdir(folder)
        os.environ.pop("NO_COLOR", None)
        os.environ.update({"TERM": "xterm-256color"} | environment)
        os.execv(sys.executable, [sys.executable, "-m", "pipedoctor", *words])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    written = b""
    while True:
        try:
            chunk = os.read(terminal, 1 << 14)
        except OSError:  # Linux says so when the other side has closed
            break
        if not chunk:
            break
        written += chunk
    os.close(terminal)
    os.waitpid(child, 0)
    return written.decode()


@pytest.fixture
def broken(project: Path, config: Callable[..., str]) -> str:
    return config(warmup_steps=5000)


def test_colour_and_width(project: Path, broken: str) -> None:
    written = in_terminal(["check", broken, "--depth", "files"], project, 60)
    assert "\x1b[1;33m! HYP003" in written
    lines = ESCAPES.sub("", written).splitlines()
    prose = [line for line in lines if line.startswith("  ") and "│" not in line]
    assert prose
    assert all(len(line) <= 60 for line in prose)


def test_no_color_and_a_dumb_terminal(project: Path, broken: str) -> None:
    words = ["check", broken, "--depth", "files"]
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in in_terminal(words, project, 80, **environment)


def test_the_progress_line_is_wiped(project: Path, broken: str) -> None:
    written = in_terminal(["check", broken], project, 80)
    assert re.search(r"(loading|making|running|reading) [\w ()]+ \.\.\. \d+ s", written)
    progress, _, report = written.rpartition("\r\x1b[K")
    assert "HYP003" in report
    assert "HYP003" not in progress
