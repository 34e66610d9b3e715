"""The fixes of a key that this run does not know, and which another one stands for."""

from __future__ import annotations

from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.facts import Settings
from pipedoctor.fix import Edit, Fix, delete, put, rename

KEEP: Any = object()
"""Stands for the value that the key has."""


def replaced(
    settings: Settings, key: str, name: str, value: Any = KEEP, *, safe: bool = True
) -> Fix:
    """
    Return the fix that says the same under another name, with another value if need be.

    If that name is stated as well, what it says stays; where it says something else, that is
    not what both of them meant.
    """
    if name in settings.stated:
        return settings.fix(delete(key), safe=safe and _same(settings, key, name, value))
    edits: tuple[Edit, ...] = (rename(key, name),)
    if value is not KEEP and value != settings.written(key):
        edits += (put(name, value),)
    return settings.fix(*edits, safe=safe)


def _same(settings: Settings, key: str, name: str, value: Any) -> bool:
    try:
        said = settings.stated[key] if value is KEEP else value
        return bool(said == settings.stated[name])
    except Unavailable:
        return False
