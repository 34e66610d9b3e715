"""Which check speaks of which key: of one that is not an argument, exactly one does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipedoctor.facts import Arguments, Settings
from pipedoctor.finding import Severity
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


def speaker(settings: Settings, key: str) -> str | None:
    """Return the code of the check that speaks of a key; None if the run knows the key."""
    arguments = settings.arguments
    if key in arguments.fields or key in settings.script_keys:
        return None
    if key in arguments.history:
        if arguments.removed_after(key) is None:
            return "VER002"
        if key == EVALUATION:
            return "VER001"
        return "VER004" if key in WARMUP_AND_LOGS else "VER006"
    return "VER012" if meant(settings, key) is None else "HYP006"


def release(arguments: Arguments) -> str:
    """Return the words for the version that the settings are judged by."""
    words = f"transformers {arguments.version}"
    return words if arguments.installed else f"{words} (none is installed here)"


def whose(settings: Settings) -> str:
    """Return the words for whose arguments a run takes: the script's, and Trainer's."""
    version = release(settings.arguments)
    return version if settings.script is None else f"{settings.script} or {version}"


def severity(arguments: Arguments) -> Severity | None:
    """Return how sure the verdict is: where no version is installed, another one may run it."""
    return None if arguments.installed else Severity.WARNING
