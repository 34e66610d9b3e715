"""Data of the package `datasets` with a transform, which makes rows when they are asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipedoctor.fact import Split, Unavailable
from pipedoctor.facts.transform import Transform
from pipedoctor.frameworks.data import arrow
from pipedoctor.frameworks.data.feeding import kept
from pipedoctor.frameworks.data.reading import Read, fetch_groups, read_by_index
from pipedoctor.frameworks.data.source import Source, reaching
from pipedoctor.frameworks.data.streams import budget
from pipedoctor.frameworks.restoring.undisturbed import undisturbed
from pipedoctor.pipeline import Pipeline
from pipedoctor.probes.feeding import batch_size, label_columns


def name(found: Source) -> str | None:
    """Return what the transform is called, None if there is none."""
    if found.transform is None:
        return None
    return str(getattr(found.transform, "__name__", type(found.transform).__name__))


def read(pipeline: Pipeline, split: Split, found: Source) -> Read:
    """Read rows through the transform, without the columns that Trainer drops before."""
    if found.transform is None:
        raise Unavailable("the data has no transform, and is looked at as a whole")
    left = reaching(found.raw, _kept(pipeline, split))
    with undisturbed(found.transform):
        told = read_by_index(
            left,
            len(left),
            label_columns(pipeline),
            batch_size(pipeline, split),
            budget(pipeline),
        )
        return fetch_groups(replace(told, together=True), left)


def tried(pipeline: Pipeline, split: Split, found: Source) -> Transform:
    """Apply the transform to the first row, with and without the columns that Trainer drops."""
    called = name(found)
    if called is None:
        raise Unavailable("the data has no transform")
    if not len(found):
        raise Unavailable(f"the {split.value} data has no rows")
    columns = tuple(found.raw.column_names)
    names = _kept(pipeline, split)
    given = columns if names is None else tuple(n for n in columns if n in names)
    makes, error = _row(found, given)
    whole = _row(found, columns)[1] if given != columns else error
    return Transform(called, columns, given, error, whole, makes)


def keeps_labels(told: Read, found: Source, column: str) -> bool:
    """Whether the labels of all rows that were read are those that are stored."""
    if column not in found.raw.column_names:
        return False
    values = told.columns[column].values
    order = sorted(values)
    stored: list[Any] = arrow.column(found.raw, column).take(order).to_pylist()
    return stored == [values[row] for row in order]


def _row(found: Source, names: tuple[str, ...]) -> tuple[tuple[str, ...], str | None]:
    """Return the columns of the first row that the transform makes of these, or what it raised."""
    if not names:
        return (), "ValueError: No columns in the dataset match the model's forward"
    dropped = [name for name in found.raw.column_names if name not in names]
    left = found.raw.remove_columns(dropped) if dropped else found.raw
    with undisturbed(found.transform):
        try:
            row: Any = left.__getitems__([0])[0]
        except Exception as error:  # noqa: BLE001 - the user's transform; the check tells of it
            return (), f"{type(error).__name__}: {error}"
    return tuple(row), None


def _kept(pipeline: Pipeline, split: Split) -> tuple[str, ...] | None:
    """Return the columns that Trainer keeps; where nobody knows, all of them."""
    try:
        return kept(pipeline, split)
    except Unavailable:
        return None
