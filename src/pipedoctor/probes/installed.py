"""
Which packages are installed, and where, without asking `importlib.metadata`.

Importing that costs more than a static check may take in all; a version also stands in the name
of the folder `name-version.dist-info` that every installer leaves beside the package.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from contextlib import suppress

OF_TENSORFLOW = ("cpu", "intel", "macos", "rocm", "cpu_aws", "aarch64")
"""What follows the name of TensorFlow in those of packages that hold it too."""


def versions(names: Collection[str]) -> dict[str, str]:
    """Return the versions of those packages that `import` would find, by their usual names."""
    wanted = {name.replace("-", "_"): name for name in names}
    if "tensorflow" in wanted:
        wanted |= dict.fromkeys((f"tensorflow_{kind}" for kind in OF_TENSORFLOW), "tensorflow")
    found: dict[str, str] = {}
    for folder in sys.path:
        for entry in _entries(folder):
            stem, dot, kind = entry.rpartition(".")
            if not dot or kind not in {"dist-info", "egg-info"}:
                continue
            name, _, version = stem.partition("-")
            name = wanted.get(name.lower().replace(".", "_"), "")
            if name and version:
                # What stands further ahead in sys.path hides what comes after it.
                found.setdefault(name, version.partition("-")[0])
    return found


def file_of(package: str, *below: str) -> str | None:
    """Return the path of a file inside a package, as `import` would find it."""
    for folder in sys.path:
        if os.path.isfile(os.path.join(folder, package, "__init__.py")):
            path = os.path.join(folder, package, *below)
            return path if os.path.isfile(path) else None
    return None


def _entries(folder: str) -> list[str]:
    with suppress(OSError):  # an entry of sys.path may be a zip file, or nothing at all
        return os.listdir(folder or ".")
    return []
