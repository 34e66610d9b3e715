"""
The entry points that installed packages declare, read from their files.

`importlib.metadata` tells the same, but to import it and to have it read the metadata of every
package takes longer than a static check. It is asked where packages are installed in another
form than in folders, or are found by an importer of their own.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Iterator
from contextlib import suppress

Points = dict[str, list[list[str]]]

_SUFFIXES = (".dist-info", ".egg-info")


def declared(groups: Collection[str]) -> Points:
    """Return names and values of the entry points of these groups, in the order of `sys.path`."""
    if not _in_folders():
        return _asked(groups)
    found: Points = {group: [] for group in groups}
    seen: set[str] = set()
    for folder in sys.path:
        for entry in _metadata(folder):
            package = re.sub(r"[-_.]+", "_", entry.partition("-")[0]).lower()
            if package in seen:
                continue  # what stands further ahead in sys.path hides it
            seen.add(package)
            text = _text(os.path.join(folder, entry, "entry_points.txt"))
            if any(f"[{group}]" in text for group in groups):
                _take(text, found)
    return found


def _in_folders() -> bool:
    """Whether folders are all there is to look through."""
    others = [
        finder
        for finder in sys.meta_path
        if hasattr(finder, "find_distributions")
        and getattr(finder, "__module__", "").partition(".")[0] != "_frozen_importlib_external"
    ]
    # An old-fashioned egg is a folder too, with its metadata further below.
    return not others and not any(
        os.path.isfile(path) or path.lower().endswith(".egg") for path in sys.path
    )


def _asked(groups: Collection[str]) -> Points:
    from importlib.metadata import entry_points

    return {
        group: [[point.name, point.value] for point in entry_points(group=group)]
        for group in groups
    }


def _metadata(folder: str) -> Iterator[str]:
    with suppress(OSError):
        for entry in os.listdir(folder or "."):
            if entry.lower().endswith(_SUFFIXES):
                yield entry


def _text(path: str) -> str:
    with suppress(OSError, UnicodeDecodeError), open(path, encoding="utf-8") as file:
        return file.read()
    return ""


def _take(text: str, found: Points) -> None:
    """Add the entry points that the text of a file declares."""
    group = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            group = line.strip("[]").strip()
        elif line and not line.startswith("#") and group in found:
            name, _, value = line.partition("=")
            found[group].append([name.strip(), value.strip()])
