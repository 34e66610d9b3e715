"""
Reading the first rows of a stream without taking them from whoever reads it next.

A copy of the stream is read, never the stream itself: what `__iter__` and the functions behind it
change in themselves, they change in the copy. What can't be copied (an open file, a connection,
an iterator that is shared) can't be read that way; a script's process is thrown away afterwards,
so there, and only there, the stream itself is read.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from io import IOBase
from typing import Any

from pipedoctor.fact import Split, Unavailable
from pipedoctor.frameworks.data.reading import SECONDS, Read, read_stream
from pipedoctor.frameworks.restoring.undisturbed import reach, undisturbed
from pipedoctor.pipeline import Pipeline
from pipedoctor.probes.feeding import batch_size, label_columns

MOST_COPIED = 1_000_000
"""A stream that holds more items than this in memory is not copied."""


def read(pipeline: Pipeline, split: Split, stream: Any) -> Read:
    """
    Read the first batch of a stream.

    Raises:
        Unavailable: It can't be read without taking rows from it.

    """
    size = batch_size(pipeline, split)
    with undisturbed(stream):
        rows = readable(pipeline, stream)
        return read_stream(rows, label_columns(pipeline), size, budget(pipeline))


def readable(pipeline: Pipeline, stream: Any) -> Iterator[Any]:
    """
    Return the rows of a stream for reading, from the beginning.

    Raises:
        Unavailable: They can't be read without taking them from it.

    """
    try:
        fresh = isolated(stream)
    except Unavailable:
        if not disposable(pipeline):
            raise
        fresh = stream
    return iter(fresh)


def budget(pipeline: Pipeline) -> float:
    """Return the seconds that reading may take: a small part of the time limit, if there is one."""
    run = pipeline.parts.get("run")
    limit = run.get("time_limit") if isinstance(run, Mapping) else None
    return min(SECONDS, limit / 20) if isinstance(limit, (int, float)) else SECONDS


def disposable(pipeline: Pipeline) -> bool:
    """
    Whether the process is thrown away after the examination, and what it holds with it.

    Only such a process has a time limit. Under `pipedoctor run` and in a live process there is
    none: the training goes on with the very same objects.
    """
    run = pipeline.parts.get("run")
    return isinstance(run, Mapping) and bool(run.get("trainings")) and "time_limit" in run


def isolated(stream: Any) -> Any:
    """
    Return a copy of a stream that shares nothing with it which reading could change.

    Raises:
        Unavailable: There is none, with the reason.

    """
    name = type(stream).__name__
    advice = "; `pipedoctor check` on your script reads it in a process that is thrown away"
    if hasattr(stream, "__next__"):
        raise Unavailable(f"the rows of a {name} can be read only once, and are left to training")
    for held in reach(stream):
        if _shared(held) and not _numbers(held):
            raise Unavailable(
                f"the stream {name} holds a {type(held).__name__}, from which rows would be "
                f"lost by reading ahead{advice}"
            )
    if _items(stream, MOST_COPIED) > MOST_COPIED:
        raise Unavailable(f"the stream {name} holds too much in memory to be copied{advice}")
    try:
        return copy.deepcopy(stream)
    except Exception as error:  # noqa: BLE001 - whatever the user's objects raise at being copied
        raise Unavailable(
            f"the stream {name} can't be copied ({type(error).__name__}), and reading it ahead "
            f"might take rows from it{advice}"
        ) from None


def _shared(held: Any) -> bool:
    """Whether reading from an object would leave it somewhere else, also through a copy."""
    return isinstance(held, IOBase) or (hasattr(held, "__next__") and hasattr(held, "__iter__"))


def _numbers(held: Any) -> bool:
    """Whether an iterator is a mere count, which a copy counts by itself."""
    return type(held).__module__ == "itertools" and type(held).__name__ in {"count", "repeat"}


def _items(held: Any, most: int) -> int:
    """Count the items of lists and mappings, up to a limit."""
    found, waiting, met = 0, [vars(held) if hasattr(held, "__dict__") else held], set[int]()
    while waiting and found <= most:
        one = waiting.pop()
        if id(one) in met:
            continue
        met.add(id(one))
        inner: Sequence[Any] = ()
        if isinstance(one, Mapping):
            inner = list(one.values())
        elif isinstance(one, (list, tuple, set, frozenset)):
            inner = list(one)[: most + 1]
        elif isinstance(getattr(one, "__dict__", None), dict) and not isinstance(one, type):
            inner = list(vars(one).values())
        found += len(inner)
        waiting.extend(inner)
    return found
