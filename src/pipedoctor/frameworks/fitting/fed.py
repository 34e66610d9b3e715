"""The data that `fit` is given for a split: what kind it is, and how much there is of it."""

from __future__ import annotations

import math
import sys
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.facts.fit import ARRAYS, DATASET, GENERATOR, LOADER, OTHER, PYDATASET
from pipedoctor.frameworks.fitting.library import Library, is_a, named

USUAL_BATCH = 32
"""The rows of a batch where nobody states how many."""


@dataclass(repr=False, eq=False)
class Fed:
    """
    What `fit` is given for one split.

    Of arrays, `start` and `stop` are the rows that belong to the split, where `validation_split`
    has cut them. `replay` puts back what was drawn from a generator; without it, a generator,
    which can be gone through only once, is left alone. `options` are the arguments of fit.
    `labels` are the inputs that the model takes for labels, as those of transformers do.
    """

    library: Library
    x: Any
    y: Any = None
    sample_weight: Any = None
    options: Mapping[str, Any] = field(default_factory=dict)
    start: int = 0
    stop: int | None = None
    replay: Replay | None = None
    validation: bool = False
    labels: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The kind of the data, in the words of the fact `Fit`."""
        found = kind(self.x)
        if found == ARRAYS and not all(hasattr(leaf, "shape") for leaf in self.whole):
            return OTHER  # arrays beside lists of numbers, which fit takes for neither
        return found

    @property
    def whole(self) -> list[Any]:
        """All arrays of the rows, those of the labels and weights too."""
        return [leaf for _, leaf in named((self.x, self.y, self.sample_weight), "")]

    @property
    def rows(self) -> int | None:
        """The number of rows; None where the data has no end."""
        if self.kind == ARRAYS:
            sizes = [int(leaf.shape[0]) for leaf in self.whole]
            total = sizes[0] if sizes else 0
            return (total if self.stop is None else min(self.stop, total)) - self.start
        if self.kind == LOADER:
            if by_index(self.x) and self.x.batch_size is None and self.x.batch_sampler is None:
                raise Unavailable("each item of the DataLoader's data is a batch, of any size")
            return len(self.x.dataset) if hasattr(type(self.x.dataset), "__len__") else None
        if self.batches == 0:
            return 0
        raise Unavailable(f"how many rows a {type(self.x).__name__} yields is not known")

    @property
    def batches(self) -> int | None:
        """The number of batches of one pass; None where the data has no end."""
        if self.kind == ARRAYS:
            rows = self.rows
            return math.ceil(rows / self.batch_size) if rows is not None else None
        if self.kind == DATASET:
            number = int(self.x.cardinality())
            if number == -2:  # tf.data.UNKNOWN_CARDINALITY
                raise Unavailable("tf.data does not know how many batches this data set has")
            return None if number == -1 else number
        if self.kind == PYDATASET:
            there = getattr(self.x, "num_batches", None)
            return None if there is None else int(there)
        if self.kind == LOADER:
            try:
                return len(self.x)
            except TypeError:
                raise Unavailable("the DataLoader does not know its length") from None
        raise Unavailable(f"how many batches a {type(self.x).__name__} yields is not known")

    @property
    def batch_size(self) -> int:
        """The rows of a batch, where they can be told without reading one."""
        stated = self.options.get("batch_size")
        if self.validation:
            stated = self.options.get("validation_batch_size") or stated
        if self.kind == ARRAYS:
            steps = self.options.get("validation_steps" if self.validation else "steps_per_epoch")
            rows = self.rows
            if not stated and steps and rows:
                return math.ceil(rows / int(steps))
            return int(stated) if stated else USUAL_BATCH
        if self.kind == LOADER and getattr(self.x, "batch_size", None):
            return int(self.x.batch_size)
        raise Unavailable("the data makes the batches; their size shows when one is read")

    def __len__(self) -> int:
        """Return the number of rows; what has none raises, as Python has it."""
        try:
            rows = self.rows
        except Unavailable:
            rows = None
        if rows is None:
            raise TypeError("the data has no length")
        return rows


class Replay:
    """A generator that gives again what was drawn from it ahead: `fit` gets it in its place."""

    def __init__(self, source: Any) -> None:
        """Keep the source, and nothing drawn yet."""
        self._source = source
        self._drawn: list[Any] = []

    def ahead(self, count: int) -> list[Any]:
        """Return the first items, keeping them for whoever reads on."""
        while len(self._drawn) < count:
            try:
                self._drawn.append(next(self._source))
            except StopIteration:
                break
        return self._drawn[:count]

    def generator(self) -> Iterator[Any]:
        """Yield all items, those drawn ahead first."""
        while self._drawn:
            yield self._drawn.pop(0)
        yield from self._source


def by_index(loader: Any) -> bool:
    """Whether a DataLoader reads its data by index, not by iterating over it."""
    return not is_a(loader.dataset, "torch", "IterableDataset")


def kind(x: Any) -> str:
    """Return the kind of what `fit` is given."""
    names = [(base.__module__.partition(".")[0], base.__name__) for base in type(x).__mro__]
    if any(top == "tensorflow" and name == "DatasetV2" for top, name in names):
        return DATASET
    if any(name in {"PyDataset", "Sequence"} and top.endswith("keras") for top, name in names):
        return PYDATASET
    if ("torch", "DataLoader") in names:
        return LOADER
    if isinstance(x, types.GeneratorType):  # Keras takes no other iterators, and says so itself
        return GENERATOR
    leaves = [leaf for _, leaf in named(x, "")]
    if leaves and all(hasattr(leaf, "shape") and hasattr(leaf, "__getitem__") for leaf in leaves):
        return ARRAYS
    pandas = sys.modules.get("pandas")
    if leaves and pandas is not None and all(isinstance(leaf, pandas.Series) for leaf in leaves):
        return ARRAYS
    return OTHER
