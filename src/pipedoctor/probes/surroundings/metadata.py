"""
The metadata that installers leave beside packages, read without `importlib.metadata`.

That would import the package `email`, and raises where one folder of many is damaged; here such
a folder is told, and the others are read.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

FILES = {"dist-info": "METADATA", "egg-info": "PKG-INFO"}
LARGEST = 1 << 20
"""No header is so long; what comes after it is the package's README."""

EDITABLE = re.compile(r"__editable__|\.egg-link$")


@dataclass(frozen=True)
class Installed:
    """One package as it is installed: its metadata's folder, and what it declares to need."""

    name: str
    version: str
    folder: str
    metadata: str
    requires: tuple[str, ...] = ()
    source: str = ""
    """The working copy that it is installed from, if it is editable."""


@dataclass(frozen=True)
class Damaged:
    """A folder of metadata that tells no package."""

    path: str
    reason: str


def installed(path: Iterable[str]) -> Iterator[Installed | Damaged]:
    """Yield what is installed in these folders, in their order; each folder once."""
    seen: set[str] = set()
    for folder in path:
        real = os.path.realpath(folder or ".")
        if real in seen:
            continue
        seen.add(real)
        for entry in _entries(real):
            kind = entry.rpartition(".")[2]
            if kind in FILES:
                yield _read(os.path.join(real, entry), kind)


def normal(name: str) -> str:
    """Return the one form of a package's name that all its spellings share: tf-keras."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _entries(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:  # an entry of sys.path may be a zip file, or nothing at all
        return []


def _read(path: str, kind: str) -> Installed | Damaged:
    file = path if os.path.isfile(path) else os.path.join(path, FILES[kind])
    try:
        with open(file, encoding="utf-8", errors="replace") as text:
            header = list(_header(text.read(LARGEST)))
    except FileNotFoundError:
        return Damaged(path, f"it has no {FILES[kind]}")
    except OSError as error:
        return Damaged(path, f"{FILES[kind]} can't be read: {error.strerror}")
    fields = dict(reversed(header))
    name, version = fields.get("name", ""), fields.get("version", "")
    if not name or not version:
        lacking = "name" if not name else "version"
        return Damaged(path, f"{os.path.basename(file)} states no {lacking}")
    requires = tuple(value for key, value in header if key == "requires-dist")
    if kind == "egg-info":
        requires += tuple(_plain_requirements(os.path.join(path, "requires.txt")))
    return Installed(name, version, os.path.dirname(path), path, requires, _source(path))


def _header(text: str) -> Iterator[tuple[str, str]]:
    """Yield the fields of a header, which ends at the first empty line."""
    for line in text.splitlines():
        if not line.strip():
            return
        key, colon, value = line.partition(":")
        if colon and not line[0].isspace():
            yield key.strip().lower(), value.strip()


def _plain_requirements(path: str) -> Iterator[str]:
    """Yield the requirements that are no extra's, as setuptools once wrote them."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith("["):
                    return
                if line.strip():
                    yield line.strip()
    except OSError:
        return


def _source(path: str) -> str:
    """Return the folder of a working copy that a package is installed from, as pip wrote it."""
    try:
        with open(os.path.join(path, "direct_url.json"), encoding="utf-8") as file:
            told = json.loads(file.read(LARGEST))
        if told["dir_info"]["editable"] is True:
            return str(told["url"]).removeprefix("file://")
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return ""
