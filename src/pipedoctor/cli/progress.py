"""Progress, on standard error and nowhere else, for whatever takes longer than a second."""

from __future__ import annotations

import time
from types import TracebackType
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

PATIENCE = 1.0
"""Seconds before anything is said."""

APART = 5.0
"""Seconds between two lines where lines can't be rewritten, in the log of a CI run for instance."""


class Progress:
    """
    Called with what is being done, again and again; shows it where somebody looks on.

    On a terminal one line is rewritten; elsewhere a line is added now and then.
    """

    def __init__(self, stream: IO[str]) -> None:
        """Start the clock."""
        self._stream = stream
        self._terminal = stream.isatty()
        self._start = time.monotonic()
        self._told = ""
        self._shown = -APART

    def __call__(self, doing: str) -> None:
        """Tell what is being done."""
        now = time.monotonic()
        seconds = now - self._start
        if seconds < PATIENCE:
            return
        if self._terminal and now - self._shown >= 0.1:
            self._tell(f"\r\x1b[K{doing} ... {seconds:.0f} s", doing, now)
        elif not self._terminal and doing != self._told and now - self._shown >= APART:
            self._tell(f"pipedoctor: {doing} ({seconds:.0f} s so far)\n", doing, now)

    def _tell(self, text: str, doing: str, now: float) -> None:
        self._stream.write(text)
        self._stream.flush()
        self._told, self._shown = doing, now

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
