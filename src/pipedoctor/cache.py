"""
Small things remembered between runs, in the user's cache folder.

Each entry is a JSON file with the key that it was made for. A cache that can't be read or
written changes nothing but the time.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import Any


def folder() -> str:
    """Return the folder of our cache; it need not exist."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "pipedoctor")


def read(name: str, key: object) -> Any:
    """Return what was remembered under a name for this very key, else None."""
    try:
        with open(os.path.join(folder(), f"{name}.json"), encoding="utf-8") as file:
            entry = json.load(file)
    except (OSError, ValueError, RecursionError):
        return None
    matches = isinstance(entry, dict) and entry.get("key") == json.loads(json.dumps(key))
    return entry.get("value") if matches else None


def write(name: str, key: object, value: object) -> None:
    """Remember a value that JSON can hold; readers see the old file or the new one, whole."""
    path = os.path.join(folder(), f"{name}.json")
    draft = f"{path}.{os.getpid()}"
    try:
        text = json.dumps({"key": key, "value": value})
        os.makedirs(folder(), exist_ok=True)
        with open(draft, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(draft, path)
    except (OSError, TypeError, ValueError):
        with suppress(OSError):
            os.unlink(draft)
