"""Progress, on standard error and nowhere else, for whatever takes longer than a second."""

from __future__ import annotations

import time
from types import TracebackType
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

PATIENCE = 1.0
"""Seconds before anything is said."""


class Progress:
    """
    Called with what is being done, again and again; shows it where somebody looks on.

    On a terminal one line is rewritten; elsewhere each new thing is told once.
    """

    def __init__(self, stream: IO[str]) -> None:
        """Start the clock."""
        self._stream = stream
        self._terminal = stream.isatty()
        self._start = time.monotonic()
        self._told = ""
        self._shown = 0.0

    def __call__(self, doing: str) -> None:
        """Tell what is being done."""
        now = time.monotonic()
        seconds = now - self._start
        if seconds < PATIENCE:
            return
        if self._terminal and now - self._shown >= 0.1:
            self._shown = now
            self._stream.write(f"\r\x1b[K{doing} … {seconds:.0f} s")
            self._stream.flush()
        elif not self._terminal and doing != self._told:
            self._stream.write(f"pipedoctor: {doing} ({seconds:.0f} s)\n")
            self._stream.flush()
        self._told = doing

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave a clean line behind."""
        if self._terminal and self._told:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
