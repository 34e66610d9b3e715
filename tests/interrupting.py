"""Ctrl-C at a chosen moment: before a line of the code that trains and puts back is run."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipedoctor import frameworks
from pipedoctor.frameworks.restoring import interrupts

OURS = str(Path(frameworks.__file__).parent)
AROUND = "contextlib.py"


def after_lines(number: int, run: Callable[[], Any]) -> int:
    """Run with an interruption before so many lines of ours were run; return how many there were."""
    seen = 0

    def line(frame: Any, event: str, _: Any) -> Any:
        nonlocal seen
        if event == "line":
            seen += 1
            if seen == number:
                signal.raise_signal(signal.SIGINT)
        return line

    def call(frame: Any, _event: str, _: Any) -> Any:
        if not interrupts._held and not seen:
            return None  # before anything is changed
        path = frame.f_code.co_filename
        return line if path.startswith(OURS) or path.endswith(AROUND) else None

    before = sys.gettrace()
    sys.settrace(call)
    try:
        run()
    finally:
        sys.settrace(before)
    return seen


__all__ = ["after_lines"]
