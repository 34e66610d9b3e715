"""What is kept of a call in the user's code, and the site that it becomes once that is asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from pipedoctor.capture.calls import Spot, find
from pipedoctor.capture.sites import Site
from pipedoctor.finding import Location

LONGEST = 200
"""Of a longer line, so many characters are kept."""


@dataclass
class Mark:
    """
    What is kept of one call until somebody asks for its site.

    `name` is the file as Python calls it. `direct` says whether the user's code itself called
    what made the thing, so that the keywords of that call are the thing's. `details` is what
    adapters remember of it: `given` (the arguments by name), `left` (what the thing held when it
    was made), `config` (the mark of its config), `loaded` (the name and folder of its files).
    """

    file: str
    name: str
    spot: Spot
    names: frozenset[str]
    direct: bool
    details: dict[str, Any] = field(default_factory=dict)


def read(mark: Mark, folder: str, thing: Any = None) -> Site:
    """
    Return the site of a mark, and of what it is of; its source is read now.

    Paths are told relative to the folder.
    """
    text = text_of(mark.file, mark.name)
    call = find(text, mark.spot, mark.names)
    lines = text.splitlines()
    hidden = call.secrets if call is not None else ()
    file = _shown(mark.file, folder)

    def at(line: int, key: str | None = None) -> Location:
        source = lines[line - 1].strip() if line <= len(lines) else ""
        for secret in hidden:
            source = source.replace(secret, "…")
        return Location(file=file, line=line, key=key, source=source[:LONGEST] or None)

    first = at(call.line if call is not None else mark.spot.line)
    written = call.keywords if call is not None and mark.direct else {}
    given = mark.details.get("given", {})
    keywords = {name: at(line, name) for name, line in written.items()}
    keywords |= _from_elsewhere(mark, given, folder)
    for name in _changed(mark, thing):
        keywords[name] = replace(first, key=name, origin="changed after this call")
    config = mark.details.get("config")
    return Site(
        first,
        keywords,
        frozenset({*given, *written}),
        None if config is None or config.spot == mark.spot else read(config, folder),
    )


def _from_elsewhere(
    mark: Mark, given: Mapping[str, Any], folder: str
) -> Iterator[tuple[str, Location]]:
    """Yield the places of arguments that were read from a config or the command line."""
    if "document" in mark.details:
        from pipedoctor.targets import TargetError
        from pipedoctor.targets.document import read_document

        try:
            locations = read_document(mark.details["document"]).locations
        except TargetError:
            return
        for name, place in locations.items():
            if name in given:
                yield name, replace(place, file=_shown(place.file or "", folder))
    for name in given if "words" in mark.details else ():
        if _stated(name, mark.details["words"]):
            yield name, Location(key=name, origin="command line")


def _shown(path: str, folder: str) -> str:
    """Return a path relative to where the user started, if it is in there."""
    inside = path.startswith(folder.rstrip(os.sep) + os.sep)
    return os.path.relpath(path, folder) if inside else path


def _stated(name: str, words: tuple[str, ...]) -> bool:
    """Whether an argument stands among the words of a command line."""
    options = {f"--{name}", f"--{name.replace('_', '-')}", f"--no_{name}"}
    return any(word.partition("=")[0] in options for word in words)


def _changed(mark: Mark, thing: Any) -> Iterator[str]:
    """Yield the names of what no longer holds what it held when the thing was made."""
    now = {} if thing is None else vars(thing)
    for name, value in mark.details.get("left", {}).items():
        if name in now and now[name] is not value and repr(now[name]) != repr(value):
            yield name


@lru_cache(maxsize=64)
def text_of(path: str, name: str) -> str:
    """Return the text of a file; "" where there is none."""
    import linecache

    return "".join(linecache.getlines(path) or linecache.getlines(name))
