"""Names of Python 2, which every loader reads as those of Python 3."""

from __future__ import annotations

from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING


def today(module: str, name: str) -> tuple[str, str]:
    """Return module and name as Python 3 knows them; those that it knows stay as they are."""
    found = NAME_MAPPING.get((module, name))
    if found is not None:
        return found
    return (IMPORT_MAPPING.get(module, module), name)
