"""Settings as numbers that can be counted with, or the reason why they can't be."""

from __future__ import annotations

from math import isfinite

from pipedoctor.fact import Unavailable
from pipedoctor.facts.settings import Settings


def number(settings: Settings, name: str) -> float:
    """Return a finite number, whole or not."""
    value = getattr(settings, name)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and isfinite(value):
        return value
    raise Unavailable(f"{name} is {value!r}, which is no number")


def whole(settings: Settings, name: str) -> int:
    """Return a whole number."""
    value = number(settings, name)
    if not isinstance(value, int):
        raise Unavailable(f"{name} is {value!r}, which is no whole number")
    return value


def positive(settings: Settings, name: str) -> int:
    """Return a whole number above 0."""
    value = whole(settings, name)
    if value < 1:
        raise Unavailable(f"{name} is {value}, which is not above 0")
    return value
