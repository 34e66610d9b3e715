"""What the terminal can show: colour, and how wide."""

from __future__ import annotations

import os
from typing import IO

USUAL = 100
"""The width of a page where no terminal has one. Longer lines of prose are hard to read."""


def in_colour(stream: IO[str]) -> bool:
    """Whether to print colour: as NO_COLOR, FORCE_COLOR and TERM say, else on a terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def width(stream: IO[str], widest: int = USUAL) -> int:
    """Return how many columns to use, at most so many."""
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return USUAL
    return max(40, min(columns or USUAL, widest))
