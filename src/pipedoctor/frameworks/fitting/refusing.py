"""Data that fit does not take: what Keras says of it, and which part of it that is about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipedoctor.facts.fit import GENERATOR
from pipedoctor.frameworks.fitting.fed import Fed
from pipedoctor.frameworks.fitting.library import is_a, named

UNKNOWN_KIND = ("Unrecognized data type", "Failed to find data adapter")
NO_NUMBERS = ("Invalid dtype", "Failed to convert a NumPy array to a Tensor")
"""How the errors begin in which Keras prints all of the data, or a type and no name."""

ARGUMENTS = ("x", "y", "sample_weight")

EMPTY = "yields no batch"


def refused(sentence: str, remedy: str) -> ValueError:
    """Return an error that says what to do."""
    error = ValueError(sentence)
    vars(error)["remedy"] = remedy
    return error


@contextmanager
def named_for(data: Fed) -> Iterator[None]:
    """
    Have Keras' refusal of the data name the argument that it is about.

    Raises:
        ValueError: Keras refused it.

    """
    try:
        yield
    except (ValueError, KeyError) as error:
        told = str(error)
        better = None
        if data.x is None and data.y is None:
            better = refused("fit is given no data: x is None", "fit(x, y)")
        elif told.startswith(UNKNOWN_KIND):
            better = _unknown_kind(data)
        elif told.startswith(NO_NUMBERS):
            better = _no_numbers(data, told)
        elif data.validation and "cardinality is ambiguous" in told:
            sizes = told[told.find("'x' sizes") :] if "'x' sizes" in told else told
            better = refused(
                f"the arrays of validation_data differ in their numbers of rows: {_line(sizes)}",
                "give validation_data as many labels as rows: cut x and y alike",
            )
        if better is None:
            raise
        raise better from error


def _line(told: str) -> str:
    return " ".join(told.split())


def empty(data: Fed, split: str) -> ValueError:
    """Return what is wrong with data that has no batch."""
    fate = "fit raises that" if data.kind == GENERATOR else "fit trains on nothing"
    return refused(
        f"the {split} data, a {type(data.x).__name__.lstrip('_')}, {EMPTY}: {fate}",
        "print how many rows are left after each filter, take and skip: one of them leaves none",
    )


def unpacked(batch: Any) -> ValueError | None:
    """Return what is wrong with a batch, if its structure is none that fit takes."""
    if not isinstance(batch, (tuple, list)) or len(batch) <= len(ARGUMENTS):
        return None
    return refused(
        f"a batch is a {type(batch).__name__} of {len(batch)} things, and fit takes (x, y) or "
        "(x, y, sample_weight)",
        "yield (x, y); several inputs in a dict or tuple of their own: ((a, b), y)",
    )


def _parts(data: Fed) -> Iterator[tuple[str, Any]]:
    for name, part in zip(ARGUMENTS, (data.x, data.y, data.sample_weight), strict=True):
        if part is not None:
            yield name, part


def _unknown_kind(data: Fed) -> ValueError | None:
    for name, part in _parts(data):
        kind = type(part).__name__
        leaves = [leaf for _, leaf in named(part, "")]
        if is_a(part, "datasets", "Dataset"):
            return refused(
                f"{name} is a Dataset of datasets, which fit does not take",
                f'{name}.to_tf_dataset(columns=["…"], label_cols="label", batch_size=32)',
            )
        if is_a(part, "datasets", "Column"):
            return refused(
                f"{name} is a column of datasets, which fit does not take", f"np.array({name})"
            )
        if isinstance(part, (list, tuple)) and any(not hasattr(one, "shape") for one in leaves):
            held = type(next(one for one in leaves if not hasattr(one, "shape"))).__name__
            return refused(
                f"{name} is a {kind} that holds {len(leaves):,} objects of Python's own type "
                f"{held}, which fit does not take",
                f"np.array({name})",
            )
        if hasattr(part, "__next__"):
            return refused(
                f"{name} is a {kind}: of iterators fit takes generators only",
                f"(batch for batch in {name}), or a class after keras.utils.PyDataset",
            )
        if any(not hasattr(one, "shape") for one in leaves):
            return refused(f"{name} is a {kind}, which fit does not take", f"np.array({name})")
    return None


def _no_numbers(data: Fed, told: str) -> ValueError | None:
    for name, part in _parts(data):
        for key, leaf in named(part, name):
            kind = getattr(getattr(leaf, "dtype", None), "kind", "")
            if kind in {"S", "U"} and name == "y":
                return refused(
                    f"{told}: {key} is an array of texts, and the loss compares numbers",
                    "names, y = np.unique(y, return_inverse=True), which numbers the classes",
                )
            if kind in {"S", "U"}:
                return refused(
                    f"{told}: {key} is an array of texts",
                    f"tf.constant({name}) in front of a TextVectorization or StringLookup layer",
                )
            if kind == "O":
                return refused(
                    f"{told}: {key} is an array of Python objects, as rows of unequal length "
                    "make one",
                    f"keras.utils.pad_sequences({name}) for rows of unequal length, "
                    f'{name}.astype("float32") for numbers',
                )
    return None
