"""Which batches are trained on: those of the pipeline's own size, of rows from all over the data."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

MOST_ROWS = 64
"""An update sees no more rows than this: it is to be quick, and rates hardly depend on more."""

MOST_BYTES = 512_000_000
"""Nor do all batches together take more."""

SEED = 42
"""The rows are the same from one test to the next."""


@dataclass(frozen=True)
class Sizes:
    """How many rows an update sees in the run, how many here, and in batches of how many rows."""

    run: int
    rows: int
    batch: int

    @classmethod
    def of(cls, batch: int, run: int) -> Sizes:
        """Return the sizes for a batch of so many rows, and a run of so many rows an update."""
        batch = max(1, min(batch, MOST_ROWS))
        gathered = max(1, min(round(run / batch), MOST_ROWS // batch))
        return cls(max(run, batch * gathered), batch * gathered, batch)

    @property
    def gathered(self) -> int:
        """From how many batches the gradients of an update are gathered."""
        return self.rows // self.batch

    @property
    def note(self) -> str | None:
        """What is to be told of it where the run has more rows."""
        if self.run <= self.rows:
            return None
        return f"an update sees {self.rows} rows here, of {self.run:,} in the run"


def groups(total: int, size: int, most: int) -> list[tuple[int, ...]]:
    """Return up to so many batches of rows by number, none of them twice; full ones if possible."""
    count = max(1, min(most, total // size))
    rows = random.Random(SEED).sample(range(total), min(total, count * size))  # noqa: S311 - no secret
    return [tuple(rows[at * size : (at + 1) * size]) for at in range(count)]


def updates(batches: Sequence[int], gathered: int) -> list[tuple[int, ...]]:
    """Return the batches of each update; where there are too few of them, one has all there are."""
    count = max(1, len(batches) // gathered)
    return [tuple(batches[at * gathered : (at + 1) * gathered]) for at in range(count)]
