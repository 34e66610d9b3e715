"""The numbers of a split, array by array: all of them where the data lies in memory, else the first."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

from pipedoctor.fact import Fact, Split, Unavailable
from pipedoctor.facts.fit import ARRAYS, GENERATOR
from pipedoctor.frameworks.fitting import borrowed
from pipedoctor.frameworks.fitting.chance import random_states
from pipedoctor.frameworks.fitting.drawing import Drawn, First, cut, drawn, fed
from pipedoctor.frameworks.fitting.fed import Fed
from pipedoctor.frameworks.fitting.library import named, to_numpy
from pipedoctor.frameworks.fitting.tally import Tally
from pipedoctor.pipeline import Pipeline
from pipedoctor.units import count

SECONDS = 1.0
"""So long data is looked through; measured on 2 cores, 60,000 images of 28 by 28 take 0.4 s."""

MOST_BATCHES = 512
"""Nor are more batches read of data that makes its own."""

CHUNK = 1 << 22
"""So many elements are looked at together, to need little memory besides."""


@dataclass(frozen=True, repr=False, eq=False)
class Scan(Fact):
    """What was seen of a split; not for checks. `total` is None where the data has no end."""

    doing = "Reading the data"
    per_split = True

    inputs: tuple[Tally, ...]
    labels: tuple[Tally, ...]
    weighted: bool
    rows: int
    total: int | None
    complete: bool
    seconds: float
    batches: int | None = None
    """The batches of one pass, where all of it was read."""

    @property
    def part(self) -> str:
        """What was looked at, in words."""
        return (
            f"all {count(self.rows)} rows"
            if self.complete
            else f"the first {count(self.rows)} rows"
        )


def scan(pipeline: Pipeline, split: Split) -> Scan:
    """
    Look through the data, as far as the time goes.

    Raises:
        Unavailable: To read it would take it from the user, or it has no rows.
        Exception: What fit would raise of such data.

    """
    data = fed(pipeline, split)
    pipeline.fact(First, split)  # what can't be read at all says so there
    begin = time.perf_counter()
    inputs: dict[str, Tally] = {}
    labels: dict[str, Tally] = {}
    rows = batches = 0
    weighted, ended = False, True
    with random_states():
        for piece in _pieces(data):
            for found, structure in ((inputs, piece.x), (labels, piece.y)):
                for name, leaf in named(structure, ""):
                    tally = found.setdefault(name, Tally(name))
                    array = to_numpy(leaf)
                    if array is not None and array.ndim:
                        tally.take(array, piece.rows[0] if piece.rows else None)
            weighted = weighted or piece.sample_weight is not None
            rows, batches = rows + piece.size, batches + 1
            if time.perf_counter() - begin > SECONDS:
                ended = False
                break
    total = _total(data)
    complete = rows == total if data.kind == ARRAYS else ended and batches < MOST_BATCHES
    complete = complete and data.kind != GENERATOR  # of which one batch is read ahead, no more
    return Scan(
        tuple(inputs.values()),
        tuple(labels.values()),
        weighted=weighted,
        rows=rows,
        total=total,
        complete=complete,
        seconds=time.perf_counter() - begin,
        batches=batches if complete and data.kind != ARRAYS else None,
    )


def _total(data: Fed) -> int | None:
    try:
        return data.rows
    except Unavailable:
        return None


def _pieces(data: Fed) -> Iterator[Drawn]:
    """Yield the data in pieces: arrays as they are, cut to rows that fit into memory together."""
    if data.kind != ARRAYS:
        yield from drawn(data, 1 if data.replay is not None else MOST_BATCHES)
        return
    total = data.rows or 0
    widest = max((math.prod(n or 1 for n in leaf.shape[1:]) for leaf in data.whole), default=1)
    step = max(1, CHUNK // max(1, widest))
    for low in range(data.start, data.start + total, step):
        high = min(low + step, data.start + total)
        x, y, weight = (cut(p, low, high) for p in (data.x, data.y, data.sample_weight))
        yield Drawn(*borrowed.moved(data.labels, x, y), weight, rows=(low,))
