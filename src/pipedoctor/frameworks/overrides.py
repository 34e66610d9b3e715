"""Whose code a trainer runs: that of transformers, of another library, or the user's own."""

from __future__ import annotations

from typing import Any


def made_by(trainer: Any, method: str) -> str | None:
    """Return the package whose class gives the trainer a method; None if it has no such method."""
    found = getattr(type(trainer), method, None)
    return None if found is None else str(found.__module__).partition(".")[0]
