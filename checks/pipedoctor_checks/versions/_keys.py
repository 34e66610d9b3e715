"""Which check speaks of which key: of one that is not an argument, exactly one does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipedoctor.facts import Arguments, Settings
from pipedoctor.finding import Location, Severity
from pipedoctor_checks.hyperparameters._synonyms import meant

EVALUATION = "evaluation_strategy"
WARMUP_AND_LOGS = frozenset({"warmup_ratio", "logging_dir"})
"""They went together, between two releases of version 5, and not where their warning said."""


def keys(settings: Settings, code: str) -> Iterator[tuple[str, Any]]:
    """
    Yield the stated keys that a check has to speak of, each with its value.

    In a script that may be an expression, whose value is not known.
    """
    for key in settings.stated:
        if speaker(settings, key) == code:
            yield key, settings.written(key)
    for key, value in strangers(settings).items():
        if ("VER012" if meant(settings, key) is None else "HYP006") == code:
            yield key, value


def strangers(settings: Settings) -> Mapping[str, Any]:
    """Return what is stated under keys that the user's tool passes over in silence."""
    return {} if settings.reading is None else settings.reading.strangers


def speaker(settings: Settings, key: str) -> str | None:
    """Return the code of the check that speaks of a key; None if the run knows the key."""
    arguments = settings.arguments
    if key in arguments.fields or key in settings.script_keys:
        return None
    if key in settings.abbreviations:
        return "HYP007"
    if key in arguments.history:
        if arguments.removed_after(key) is None:
            return "VER002"
        if key == EVALUATION:
            return "VER001"
        return "VER004" if key in WARMUP_AND_LOGS else "VER006"
    return "VER012" if meant(settings, key) is None else "HYP006"


def place(settings: Settings, key: str) -> Location:
    """Return where a key stands, whether the user's tool knows it or not."""
    if settings.reading is not None and key in settings.reading.places:
        return settings.reading.places[key]
    return settings.where(key)


def release(arguments: Arguments) -> str:
    """Return the words for the version that the settings are judged by."""
    words = f"transformers {arguments.version}"
    if arguments.bound_by:
        return f"{words} (the newest that {arguments.bound_by} works with)"
    return words if arguments.installed else f"{words} (none is installed here)"


def whose(settings: Settings) -> str:
    """Return the words for whose arguments a run takes: the script's, and Trainer's."""
    if settings.reading is not None:
        here = "" if settings.reading.installed else " (not installed here)"
        return f"{settings.reading.release}{here}"
    version = release(settings.arguments)
    return version if settings.script is None else f"{settings.script} or {version}"


def severity(arguments: Arguments) -> Severity | None:
    """Return how sure the verdict is: where no version is installed, another one may run it."""
    return None if arguments.installed else Severity.WARNING
