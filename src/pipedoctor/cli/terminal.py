"""What the terminal can show: colour, and how wide."""

from __future__ import annotations

import os
from typing import IO

WIDEST = 100
"""Longer lines are hard to read, however wide the window."""


def in_colour(stream: IO[str]) -> bool:
    """Whether to print colour: as NO_COLOR, FORCE_COLOR and TERM say, else on a terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def width(stream: IO[str]) -> int:
    """Return how many columns to use."""
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return WIDEST
    return max(40, min(columns or WIDEST, WIDEST))
