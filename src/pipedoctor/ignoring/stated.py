"""The wishes about accepted findings, as pyproject.toml and the command line state them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from pipedoctor.ignoring.patterns import PerFile
from pipedoctor.options import UsageError, codes
from pipedoctor.registry import Registry


def per_file(stated: Any, registry: Registry, source: str | None) -> tuple[PerFile, ...]:
    """
    Return what is ignored for the file it is in; patterns are seen from the source's folder.

    Raises:
        UsageError: It is no table of patterns, or names a code that no check has.

    """
    if not isinstance(stated, Mapping):
        raise UsageError(f"{source}: per-file-ignores takes a table, not {stated!r}")
    root = os.path.dirname(source) if source else os.getcwd()
    place = source or "--per-file-ignores"
    return tuple(
        PerFile(pattern, codes(words, registry, place), root) for pattern, words in stated.items()
    )


def warnings(value: Any, place: str) -> int | None:
    """Return how many warnings are allowed."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise UsageError(f"{place} takes a number of warnings, 0 or more, not {value!r}")
    return value


def baseline(value: Any, source: str | None) -> str | None:
    """
    Return the whole path of the baseline, which is seen from the folder of the file that states it.

    A script that is examined while it runs may go to another folder.
    """
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise UsageError(f"{source}: baseline takes the name of a file, not {value!r}")
    return os.path.abspath(os.path.join(os.path.dirname(source or ""), value))
