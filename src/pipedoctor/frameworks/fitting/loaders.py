"""Batches of a DataLoader of torch, made in this process, of which the loader takes no notice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.frameworks.fitting.fed import by_index

Rows = tuple[int, ...]


def batches(loader: Any, most: int) -> Iterator[tuple[Rows, Any]]:
    """
    Yield the first batches, with the numbers of their rows where the data numbers them.

    Raises:
        Unavailable: To read the data would take it from the user.

    """
    with _generators(loader):
        yield from islice(_of_rows(loader) if by_index(loader) else _of_stream(loader), most)


def _of_rows(loader: Any) -> Iterator[tuple[Rows, Any]]:
    """Yield rows in their order, or as the loader's own batch sampler puts them together."""
    data, collate = loader.dataset, loader.collate_fn
    if loader.batch_size is not None:
        for low in range(0, len(data), loader.batch_size):
            rows = tuple(range(low, min(low + loader.batch_size, len(data))))
            yield rows, collate([data[row] for row in rows])
    elif loader.batch_sampler is not None:
        for chosen in _anew(loader.batch_sampler):
            rows = tuple(chosen)
            yield rows, collate([data[row] for row in rows])
    else:  # each item is a batch already
        for place in range(len(data)):
            yield (), collate(data[place])


def _of_stream(loader: Any) -> Iterator[tuple[Rows, Any]]:
    """Yield what data that is iterated over yields."""
    items = _anew(loader.dataset)
    if loader.batch_size is None:
        for item in items:
            yield (), loader.collate_fn(item)
        return
    while rows := list(islice(items, loader.batch_size)):
        if loader.drop_last and len(rows) < loader.batch_size:
            return
        yield (), loader.collate_fn(rows)


def _anew(source: Any) -> Iterator[Any]:
    """Return an iterator that starts anew, as each epoch does, if the source makes such ones."""
    first: Iterator[Any]
    first, second = iter(source), iter(source)
    if first is source or first is second:
        raise Unavailable(
            f"a {type(source).__name__} that is its own iterator can be read only once, and is "
            "left to fit"
        )
    return first


@contextmanager
def _generators(loader: Any) -> Iterator[None]:
    """Put the random states back that the loader and its samplers hold."""
    holders = (loader, loader.sampler, loader.batch_sampler)
    held: list[Any] = [getattr(one, "generator", None) for one in holders]
    held.append(getattr(getattr(loader.batch_sampler, "sampler", None), "generator", None))
    before = [(one, one.get_state()) for one in held if hasattr(one, "get_state")]
    try:
        yield
    finally:
        for one, state in before:
            one.set_state(state)
