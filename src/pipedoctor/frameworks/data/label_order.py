"""The order of the labels, by Arrow and numpy over all rows."""

from __future__ import annotations

from typing import Any

from pipedoctor.fact import UNKNOWN, Cost, Split, Unavailable
from pipedoctor.facts.label_order import LabelOrder
from pipedoctor.facts.settings import Settings
from pipedoctor.finding import Location
from pipedoctor.frameworks.data import arrow
from pipedoctor.frameworks.data.counting import kind_of
from pipedoctor.frameworks.data.loaders import own_loader
from pipedoctor.frameworks.data.runs import random_runs
from pipedoctor.frameworks.data.source import source
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes.feeding import label_columns


@probe(LabelOrder, Cost.DATA, "{data}", user_code=True)
def label_order(pipeline: Pipeline, split: Split) -> LabelOrder:
    """Count the stretches of rows that have one label."""
    import numpy as np

    found = source(pipeline, split)
    if found.transform is not None:
        raise Unavailable("the rows are made by a transform when they are asked for")
    name = found.label(label_columns(pipeline))
    values = arrow.plain(found.labels(name)).combine_chunks()
    if kind_of(values.type) not in {"int", "text", "bool"}:
        raise Unavailable(f"the labels are of type {values.type}, no classes")
    if not len(values):
        raise Unavailable(f"the {split.value} data has no rows")
    encoded = values.dictionary_encode()
    codes = np.asarray(encoded.indices.fill_null(-1))
    begins = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))
    sizes = np.diff(np.append(begins, len(codes)))
    longest = int(sizes.argmax())
    counts = np.unique(codes, return_counts=True)[1]
    expected, deviation = random_runs(counts.tolist())
    place = int(begins[longest])
    shuffled, because = _shuffled(pipeline, split)
    return LabelOrder(
        column=name,
        rows=len(codes),
        classes=len(counts),
        runs=len(begins),
        expected=expected,
        deviation=deviation,
        longest=int(sizes[longest]),
        begins=place,
        label=values[place].as_py(),
        shuffled=shuffled,
        unshuffled_by=because,
        where=Location(file=found.file, column=name, split=split.value),
    )


def _shuffled(pipeline: Pipeline, split: Split) -> tuple[Any, str]:
    """Return whether training draws its rows at random; what keeps it from that, if not."""
    if split is Split.EVAL:
        return False, "an evaluation takes the rows in order"
    own = own_loader(pipeline, split)
    if own is not None:
        sampler = own.sampler if own.loader is None else getattr(own.loader, "sampler", None)
        kind = type(sampler).__name__
        if kind == "SequentialSampler":
            place = "_get_train_sampler" if own.loader is None else "get_train_dataloader"
            return False, f"{place} makes a SequentialSampler"
        return (True, "") if kind == "RandomSampler" else (UNKNOWN, "")
    settings = pipeline.optional(Settings)
    if settings is None:
        return UNKNOWN, ""
    strategy = settings.get("train_sampling_strategy")
    if strategy == "sequential":
        return False, 'train_sampling_strategy is "sequential"'
    return True, ""
