"""Settings as numbers that can be counted with, and fields that say why they are not known."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any

from pipedoctor.fact import Unavailable, unknown
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


def guarded(measure: Callable[[], Any]) -> Any:
    """Return what can be known; one field that can't be does not cost the fact its others."""
    try:
        return measure()
    except Unavailable as reason:
        return unknown(reason)
