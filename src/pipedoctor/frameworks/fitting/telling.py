"""The facts that a scan of the data tells: inputs, labels, and the labels of each output."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from pipedoctor.fact import Split, Unavailable, unknown
from pipedoctor.facts.features import Feature, Features
from pipedoctor.facts.inputs import Input, Inputs
from pipedoctor.facts.labels import Labels
from pipedoctor.facts.outputs import Targets
from pipedoctor.finding import Location
from pipedoctor.frameworks.fitting import places
from pipedoctor.frameworks.fitting.library import inputs_of, maker
from pipedoctor.frameworks.fitting.scanning import Scan
from pipedoctor.frameworks.fitting.tally import MOST_VALUES, Tally
from pipedoctor.pipeline import Pipeline

MOST_PLACES = 20
"""So many constant features are named."""


def inputs(pipeline: Pipeline, split: Split) -> Inputs:
    """Tell what goes into the model."""
    found = pipeline.fact(Scan, split)
    part = pipeline.parts.get("model")
    names = input_names(part, [one.name for one in found.inputs])
    first = _first_layers(part, names)
    return Inputs(
        inputs=tuple(
            Input(
                name=name,
                shape=one.shape,
                dtype=one.dtype,
                rows=one.rows,
                minimum=one.minimum,
                maximum=one.maximum,
                mean=one.mean,
                std=one.std,
                not_finite=one.not_finite,
                not_finite_rows=tuple(one.bad_rows),
                features=_elements(one),
                constant=tuple(one.constant[:MOST_PLACES]),
                constant_count=len(one.constant),
                scales=one.scales,
                layer=first.get(name, ""),
                whole=one.all_whole,
            )
            for name, one in zip(names, found.inputs, strict=True)
        ),
        rows=found.rows,
        complete=found.complete,
        part=found.part,
        where=data_at(pipeline, split),
    )


def features(pipeline: Pipeline, split: Split) -> Features:
    """
    Tell the range of each array of floats that goes in, and how many of its rows are not finite.

    Raises:
        Unavailable: No array of floats goes in.

    """
    found, told = pipeline.fact(Scan, split), pipeline.fact(Inputs, split)
    of_name = {
        name: Feature(
            minimum=math.nan if one.minimum is None else one.minimum,
            maximum=math.nan if one.maximum is None else one.maximum,
            mean=math.nan if one.mean is None else one.mean,
            deviation=math.nan if one.std is None else one.std,
            not_finite=one.rows_not_finite,
            first_bad=tuple(one.bad_rows),
        )
        for name, one in zip((one.name for one in told.inputs), found.inputs, strict=True)
        if one.kind == "float"
    }
    if not of_name:
        raise Unavailable("no array of floats is an input")
    return Features(
        of_name, found.rows, None if found.complete else found.total, data_at(pipeline, split)
    )


def input_names(part: Any, leaves: list[str]) -> list[str]:
    """Return the names of the inputs: as the data has them, else as the model calls them."""
    if any(name and not name.isdecimal() for name in leaves):
        return leaves
    names = getattr(part, "input_names", None) or getattr(part, "_input_names", None)
    if names is None and len(getattr(part, "inputs", None) or ()) == len(leaves):
        names = [tensor.name for tensor in part.inputs]
    if names is not None and len(names) == len(leaves):
        told = [str(name) for name in names]
        if not any(name.startswith("keras_tensor") for name in told):
            return told
    return ["x"] if leaves == [""] else [f"x_{name}" for name in leaves]


def _first_layers(part: Any, names: list[str]) -> dict[str, str]:
    """Return the class of the first layer that each input meets, where the graph tells that."""
    found: dict[str, str] = {}
    layers = list(getattr(part, "layers", ()))
    kinds = {base.__name__ for base in type(part).__mro__}
    if "Sequential" in kinds and layers and len(names) == 1:
        return {names[0]: type(layers[0]).__name__}
    if "Functional" not in kinds:
        return found
    for layer in layers:
        if type(layer).__name__ == "InputLayer":
            continue  # of Keras 2, it goes into itself
        for node in getattr(layer, "_inbound_nodes", ()):
            for tensor in inputs_of(node):
                history = getattr(tensor, "_keras_history", None)
                if history is not None and type(maker(history)).__name__ == "InputLayer":
                    found.setdefault(maker(history).name, type(layer).__name__)
    if len(found) == len(names) == 1:  # whatever the one is called
        return dict(zip(names, found.values(), strict=True))
    return found


def _elements(one: Tally) -> int:
    return math.prod(size or 1 for size in one.shape)


def labels(pipeline: Pipeline, split: Split) -> Labels:
    """Count the labels, where there is one array of them."""
    found = pipeline.fact(Scan, split)
    if not found.labels:
        raise Unavailable("fit is given no labels: no y, and the data yields none")
    if len(found.labels) > 1:
        names = ", ".join(one.name for one in found.labels)
        raise Unavailable(f"there are several arrays of labels ({names}), one for each output")
    (one,) = found.labels
    if one.kind == "other":
        raise Unavailable(f"the labels are of type {one.dtype or 'unknown'}, no plain numbers")
    width = None if one.shape in {(), (1,)} else _elements(one)
    counts: Any = unknown(f"there are more than {MOST_VALUES:,} distinct labels")
    if one.values is not None:
        counts = one.values
    distinct: Any = len(one.values) if one.values is not None else counts
    low, high = one.minimum, one.maximum
    known: dict[str, Any] = {"counts": counts, "distinct": distinct}
    known |= {
        "minimum": unknown("the labels are no numbers") if low is None else _number(one, low),
        "maximum": unknown("the labels are no numbers") if high is None else _number(one, high),
    }
    if not found.complete:
        why = unknown(f"{found.part} were read: what the others hold is not known")
        known = dict.fromkeys(known, why)
        known |= {"partial": True, "of": found.total, "seen": counts}
    return Labels(
        column=one.name or "y",
        kind=one.kind,
        rows=one.rows,
        missing=0,
        width=width,
        examples={value: tuple(rows) for value, rows in one.examples.items()},
        hot={place: tuple(one.hot[place]) for place in sorted(one.hot)},
        where=data_at(pipeline, split, "y"),
        hot_counts=_hot(one) if found.complete and width else (),
        **known,
    )


def _hot(one: Tally) -> tuple[int, ...]:
    if not (one.one_hot and one.multi_hot) or one.low is None or len(one.shape) != 1:
        return ()
    return tuple(int(number) for number in one.sums)


def _number(one: Tally, value: float) -> float:
    return int(value) if one.kind in {"int", "bool"} else value


def targets(one: Tally, found: Scan) -> Targets:
    """Say what the labels of one output are."""
    several = len(one.shape) > 0 and one.shape != (1,)
    return Targets(
        kind=one.kind,
        shape=one.shape,
        dtype=one.dtype,
        rows=one.rows,
        minimum=one.minimum,
        maximum=one.maximum,
        mean=one.mean,
        std=one.std,
        whole=one.all_whole,
        distinct=None if one.values is None else len(one.values),
        one_hot=one.one_hot and one.multi_hot if several else None,
        multi_hot=one.multi_hot if several else None,
        not_finite=one.not_finite,
        complete=found.complete,
        classes=one.classes,
    )


def data_at(pipeline: Pipeline, split: Split, *names: str) -> Location:
    """Return where fit was given the data of a split."""
    site = places.site(pipeline, "fit")
    if site is None:
        return Location(split=split.value)
    wanted = (*names, "x") if split is Split.TRAIN else ("validation_data", "validation_split")
    return replace(site.where(*wanted), key=None, split=split.value)
