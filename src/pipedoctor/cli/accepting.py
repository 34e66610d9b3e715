"""The words of the command line about which checks count, how much, and what is accepted."""

from __future__ import annotations

import argparse
from dataclasses import replace

from pipedoctor.finding import Severity
from pipedoctor.ignoring import baseline, patterns, stated
from pipedoctor.options import Options, UsageError, codes, near, severity
from pipedoctor.registry import Registry


def options(wishes: Options, arguments: argparse.Namespace, known: Registry) -> Options:
    """
    Return the wishes of pyproject.toml with those of the command line added.

    Raises:
        UsageError: A code, a severity or a file is named that there is none of.

    """
    if arguments.extend_select is not None:
        added = codes(arguments.extend_select, known, "--extend-select")
        wishes = replace(wishes, extend_select=(*wishes.extend_select, *added))
    if arguments.per_file_ignores is not None:
        added_files = stated.per_file(_patterns(arguments.per_file_ignores), known, None)
        wishes = replace(wishes, per_file=(*wishes.per_file, *added_files))
    if arguments.severity is not None:
        severities = {**wishes.severities, **_severities(arguments.severity, known)}
        wishes = replace(wishes, severities=severities)
    if arguments.max_warnings is not None:
        wishes = replace(wishes, max_warnings=arguments.max_warnings)
    if arguments.baseline is not None:
        wishes = replace(wishes, baseline=stated.baseline(arguments.baseline, None))
    if wishes.baseline is not None:  # before anything is examined
        baseline.read(wishes.baseline, must_exist=not getattr(arguments, "write_baseline", False))
    return wishes


def _patterns(words: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for word in words:
        try:
            for pattern, listed in patterns.pairs(word):
                found.setdefault(pattern, []).extend(listed)
        except ValueError as error:
            raise UsageError(f"--per-file-ignores: {error}") from None
    return found


def _severities(words: list[str], known: Registry) -> dict[str, Severity]:
    found = {}
    for word in (part.strip() for text in words for part in text.split(",")):
        code, sign, level = word.partition("=")
        code = code.strip().upper()
        if not sign:
            raise UsageError(f"--severity takes CODE=error, =warning or =note, not {word!r}")
        if not any(row.code == code for row in known.rows):
            raise UsageError(
                f"--severity: there is no check {code}; {near(code, known, whole=True)}"
            )
        found[code] = severity(level.strip(), "--severity")
    return found
