"""
In which order the labels of a stream come: those of its first rows.

A stream is trained on in the order in which it comes, whatever a trainer is told of shuffling.
"""

from __future__ import annotations

import time
from collections import Counter
from itertools import groupby, islice
from typing import Any

from pipedoctor.fact import Cost, Elsewhere, Split, Unavailable
from pipedoctor.facts.label_order import LabelOrder
from pipedoctor.finding import Location
from pipedoctor.frameworks.data.feeding import feed
from pipedoctor.frameworks.data.reading import Read, require_rows
from pipedoctor.frameworks.data.record import as_record
from pipedoctor.frameworks.data.runs import random_runs
from pipedoctor.frameworks.restoring.undisturbed import undisturbed
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes.feeding import label_columns
from pipedoctor.probes.user_data import is_stream

MOST = 1000
"""More rows are not read: where they are all of one label, more than 99.3 % are, or they are sorted."""


@probe(LabelOrder, Cost.DATA, "{data}", user_code=True)
def stream_order(pipeline: Pipeline, split: Split) -> LabelOrder:
    """Read the labels of the first rows, as many as come in a moment."""
    from pipedoctor.frameworks.data import streams

    data = feed(pipeline, split).data
    if not is_stream(data):
        raise Elsewhere("the data is no stream")
    require_rows(pipeline.fact(Read, split), split)  # what can't be read says so there
    names, labels = label_columns(pipeline), list[Any]()
    name, until = "", time.monotonic() + streams.budget(pipeline)
    with undisturbed(data):
        for row in islice(streams.readable(pipeline, data), MOST):
            record = as_record(row) or {}
            name = name or next((one for one in names if one in record), "")
            labels.append(_class(record.get(name)))
            if time.monotonic() > until:
                break
    if not name:
        raise Unavailable("the rows of the stream have no labels")
    stretches = [(label, sum(1 for _ in rows)) for label, rows in groupby(labels)]
    at = max(range(len(stretches)), key=lambda place: stretches[place][1])
    counts = Counter(labels)
    expected, deviation = random_runs(list(counts.values()))
    return LabelOrder(
        column=name,
        rows=len(labels),
        classes=len(counts),
        runs=len(stretches),
        expected=expected,
        deviation=deviation,
        longest=stretches[at][1],
        begins=sum(size for _, size in stretches[:at]),
        label=stretches[at][0],
        shuffled=False,
        unshuffled_by="a stream is taken as it comes",
        where=Location(column=name, split=split.value),
        stream=True,
    )


def _class(value: Any) -> Any:
    """Return a label that names a class, as a value of Python."""
    value = value.item() if getattr(value, "ndim", None) == 0 else value
    if not isinstance(value, (int, str)):
        raise Unavailable(
            f"the labels of the stream are of type {type(value).__name__}, no classes"
        )
    return value
