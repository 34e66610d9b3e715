"""The first batch as `fit` would hand it to the training step, and the batches after it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from pipedoctor.fact import Elsewhere, Fact, Split, Unavailable
from pipedoctor.facts.fit import ARRAYS, DATASET, GENERATOR, LOADER, PYDATASET
from pipedoctor.frameworks.fitting import borrowed, loaders, refusing, second
from pipedoctor.frameworks.fitting.chance import random_states
from pipedoctor.frameworks.fitting.datasets import copied
from pipedoctor.frameworks.fitting.fed import Fed
from pipedoctor.frameworks.fitting.library import named, to_numpy
from pipedoctor.pipeline import Pipeline


@dataclass(frozen=True)
class Drawn:
    """
    One batch, in the structures that the training step gets.

    `rows` are the numbers of the rows in the data, counted from 0; empty where the data does not
    number them.
    """

    x: Any
    y: Any = None
    sample_weight: Any = None
    rows: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        """How many rows it has."""
        leaves = [leaf for _, leaf in named((self.x, self.y), "")]
        return next((int(one.shape[0]) for one in leaves if getattr(one, "shape", ())), 0)


@dataclass(frozen=True, repr=False, eq=False)
class First(Fact):
    """The first batch of a split itself; not for checks."""

    doing = "Reading the first batch"
    per_split = True

    batch: Drawn


def fed(pipeline: Pipeline, split: Split) -> Fed:
    """Return the data of a split, where it is what `fit` is given."""
    data = pipeline.data(split)
    if not isinstance(data, Fed):
        raise Elsewhere(f"the {split.value} data is not that of a call of fit")
    return data


def first(pipeline: Pipeline, split: Split) -> First:
    """
    Draw the first batch.

    Raises:
        Unavailable: There is none, or to read it would take it from the user.
        Exception: What fit would raise of such data.

    """
    data = fed(pipeline, split)
    with random_states(), refusing.named_for(data):
        batch = next(iter(drawn(data, 1)), None)
    if batch is None:
        known = _rows(data) == 0  # which is told as a fault of its own
        if not known and (split is Split.TRAIN or data.kind == GENERATOR):
            raise refusing.empty(data, split.value)
        raise Unavailable(f"the {split.value} data has no batch")
    return First(batch)


def _rows(data: Fed) -> int | None:
    try:
        return data.rows
    except Unavailable:
        return None


def drawn(data: Fed, most: int) -> Iterator[Drawn]:
    """Yield the first batches; nothing is taken from whoever reads the data next."""
    if data.kind == ARRAYS:
        return _of_arrays(data, most)
    if data.kind == DATASET:
        return _of_adapter(data, copied(data.x).take(most))
    if data.kind == PYDATASET:
        return _of_py_dataset(data, most)
    if data.kind == LOADER:
        batches = loaders.batches(data.x, most)
        return (Drawn(*_unpacked(data, batch), rows=rows) for rows, batch in batches)
    if data.kind == GENERATOR:
        return _of_generator(data, most)
    return _of_adapter(data, data.x)


def _of_arrays(data: Fed, most: int) -> Iterator[Drawn]:
    """Yield rows in their order, cut before anything is converted."""
    _checked(data)
    total, size = data.rows or 0, data.batch_size
    for place in range(min(most, -(-total // size))):
        low = data.start + place * size
        rows = range(low, min(low + size, data.start + total))
        parts = [cut(p, rows.start, rows.stop) for p in (data.x, data.y, data.sample_weight)]
        for batch in _iterated(data, (parts[0], parts[1], parts[2]), batch_size=len(rows)):
            yield Drawn(*_unpacked(data, batch), rows=tuple(rows))


def at_rows(data: Fed, rows: tuple[int, ...]) -> Drawn:
    """
    Return a batch of the rows of these numbers, counted from the first of the split.

    Raises:
        Unavailable: The data numbers no rows, or has none of these numbers.

    """
    if data.kind not in {ARRAYS, LOADER}:
        raise Unavailable(f"the rows of a {type(data.x).__name__} have no numbers")
    total = data.rows or 0  # a loader whose rows can't be told raises here
    within = tuple(row for row in rows if row < total)
    if not within:
        raise Unavailable(f"there are rows 0 to {total - 1:,}, and none of those asked for")
    if data.kind == LOADER:
        batch = data.x.collate_fn([data.x.dataset[row] for row in within])
        return Drawn(*_unpacked(data, batch), rows=within)
    places = [data.start + row for row in within]
    x, y, weight = (taken(part, places) for part in (data.x, data.y, data.sample_weight))
    size = {"batch_size": len(within), "validation_batch_size": len(within)}
    one = replace(
        data,
        x=x,
        y=y,
        sample_weight=weight,
        options={**data.options, **size},
        start=0,
        stop=None,
    )
    found = next(_of_arrays(one, 1))
    return Drawn(found.x, found.y, found.sample_weight, within)


def _of_adapter(data: Fed, x: Any) -> Iterator[Drawn]:
    for batch in _iterated(data, (x, data.y, data.sample_weight)):
        yield Drawn(*_unpacked(data, batch))


def _of_py_dataset(data: Fed, most: int) -> Iterator[Drawn]:
    """Yield batches by their numbers, in this process: Keras' own threads would read ahead."""
    there = data.batches
    for place in range(most if there is None else min(most, there)):
        yield Drawn(*_unpacked(data, data.x[place]))


def _of_generator(data: Fed, most: int) -> Iterator[Drawn]:
    if data.replay is None:
        raise Unavailable(
            f"a {type(data.x).__name__} can be read only once, and is left to fit; "
            "`pipedoctor check` and `run` on your script can put back what they read"
        )
    for batch in data.replay.ahead(most):
        if not isinstance(batch, tuple):
            raise TypeError(
                "fit takes generators that yield tuples, (inputs, targets) or (inputs, targets, "
                f"sample_weights); this one yields a {type(batch).__name__}"
            )
        yield Drawn(*_unpacked(data, batch))


def _checked(data: Fed) -> None:
    """
    Have Keras compare the numbers of rows of all arrays.

    Raises:
        ValueError: They differ.

    """
    parts = (data.x, data.y, data.sample_weight)
    if data.library.second:
        data.library.module("engine.data_adapter")._check_data_cardinality(parts)  # noqa: SLF001 - it is in no public place
        return
    utils = data.library.module("trainers.data_adapters.data_adapter_utils")
    utils.check_data_cardinality(utils.pack_x_y_sample_weight(*parts))


def _iterated(data: Fed, parts: tuple[Any, Any, Any], **how: Any) -> Iterator[Any]:
    """Yield batches as Keras makes them of arrays or of a data set."""
    weights = None if data.validation else data.options.get("class_weight")
    how |= {"shuffle": False, "class_weight": weights}
    if data.library.second:
        return second.iterated(data.library, parts, how)
    adapters = data.library.module("trainers.data_adapters")
    adapter = adapters.get_data_adapter(x=parts[0], y=parts[1], sample_weight=parts[2], **how)
    tensors = data.library.backend == "tensorflow"
    return iter(adapter.get_tf_dataset() if tensors else adapter.get_numpy_iterator())


def _unpacked(data: Fed, batch: Any) -> tuple[Any, Any, Any]:
    wrong = refusing.unpacked(batch)
    if wrong is not None:
        raise wrong
    if data.library.second:
        x, y, weight = second.unpacked(data.library, batch)
        return (*borrowed.moved(data.labels, x, y), weight)
    utils = data.library.module("trainers.data_adapters.data_adapter_utils")
    batch = tuple(batch) if isinstance(batch, list) else batch
    x, y, weight = utils.unpack_x_y_sample_weight(batch)
    return x, y, weight


def taken(structure: Any, places: list[int]) -> Any:
    """Return the rows of a structure of arrays at these places."""
    if structure is None:
        return None
    if isinstance(structure, dict):
        return {key: taken(value, places) for key, value in structure.items()}
    if isinstance(structure, (list, tuple)):
        return type(structure)([taken(value, places) for value in structure])
    array = to_numpy(structure)
    return structure if array is None else array[places]


def cut(structure: Any, start: int, stop: int) -> Any:
    """Return the rows of a structure of arrays from one number up to another."""
    if structure is None:
        return None
    if isinstance(structure, dict):
        return {key: cut(value, start, stop) for key, value in structure.items()}
    if isinstance(structure, (list, tuple)):
        return type(structure)([cut(value, start, stop) for value in structure])
    return getattr(structure, "iloc", structure)[start:stop]
