"""Rows with equal inputs: found by sorting the numbers that stand for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipedoctor.fact import UNKNOWN, Cost, Fact, Split, Unavailable
from pipedoctor.facts.columns import Columns, is_input
from pipedoctor.facts.duplicates import Duplicates
from pipedoctor.finding import Location
from pipedoctor.frameworks.data import arrow, hashing
from pipedoctor.frameworks.data.counting import kind_of
from pipedoctor.frameworks.data.source import Source, source
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes.feeding import TEXT, label_columns

MOST = 20_000_000
"""Of more rows so many are drawn at random."""

MOST_VALUES = 400_000_000
"""So many token ids, or bytes of text, are compared; some seconds. Of more, rows are drawn."""

SHOWN = 3

BITS = 20
"""The table of numbers that are looked for has two to the power of this entries: 1 MB."""

AT_ONCE = 1 << 16


@dataclass(frozen=True, repr=False, eq=False)
class Numbers(Fact):
    """
    The rows of a split as numbers, equal where their inputs are; not for checks.

    `held` are the numbers, `columns` what they were made of. `chosen` are the rows that were drawn
    of `total`, None if these are all.
    """

    doing = "Comparing the rows with each other"
    per_split = True

    columns: tuple[str, ...]
    held: Any
    chosen: Any
    total: int

    def row(self, place: int) -> int:
        """Return which row stands at a place."""
        return int(place if self.chosen is None else self.chosen[place])


@probe(Numbers, Cost.DATA, "{data}")
def numbers(pipeline: Pipeline, split: Split) -> Numbers:
    """Hash the inputs of all rows, or of a sample."""
    import numpy as np

    found = source(pipeline, split)
    if found.transform is not None:
        raise Unavailable("the rows are made by a transform when they are asked for")
    names = _inputs(pipeline, split, found)
    if not len(found):
        raise Unavailable(f"the {split.value} data has no rows")
    chosen = None
    most = min(MOST, max(1, round(MOST_VALUES / _values(found, names))))
    if len(found) > most:
        random = np.random.default_rng(0)
        chosen = np.sort(random.choice(len(found), most, replace=False))
    return Numbers(names, hashing.rows(found.raw, names, chosen), chosen, len(found))


def _values(found: Source, names: tuple[str, ...]) -> float:
    """Return how many values a row has on average."""
    columns = {name: arrow.plain(found.raw.data.column(name)).type for name in names}
    long = tuple(n for n, kind in columns.items() if arrow.is_list(kind) or arrow.is_text(kind))
    each = arrow.lengths(found.raw, long).mean() if long else 0.0
    return float(each) + len(names)


def _inputs(pipeline: Pipeline, split: Split, found: Source) -> tuple[str, ...]:
    """Return the columns that a model's input is made of."""
    if found.prepared is not None:
        names = tuple(found.prepared.texts)
    elif "input_ids" in found.raw.column_names:
        names = ("input_ids",)
    else:
        columns = pipeline.fact(Columns, split)
        known = columns.known("accepted") and columns.known("filtered")
        chosen = columns.inputs if known and columns.filtered else tuple(columns.types)
        labels = label_columns(pipeline)
        names = tuple(name for name in chosen if is_input(name) and name not in labels)
    if not names:
        raise Unavailable("the data has no columns that are inputs")
    return names


@probe(Duplicates, Cost.DATA, "{data}")
def duplicates(pipeline: Pipeline, split: Split) -> Duplicates:
    """Count the rows with equal inputs."""
    import numpy as np

    mine = pipeline.fact(Numbers, split)
    found = source(pipeline, split)
    told: dict[str, Any] = {}
    # To sort the numbers is quick, and to sort the rows by them is not: only those rows are
    # sorted whose number is met twice.
    ranked = np.sort(mine.held)
    again = ranked[1:] == ranked[:-1]
    distinct = len(ranked) - int(np.count_nonzero(again))
    twins = np.flatnonzero(among(mine.held, _distinct(ranked[1:][again])))
    told |= _contradictions(pipeline, found, mine, twins)
    if split is Split.EVAL and "train_data" in pipeline.parts:
        told |= _shared(pipeline, mine)
    shown = [row for pair in told.get("shared_pairs", ()) for row in pair[:1]]
    shown += [row for pair in told.get("pairs", ()) for row in pair[:1]]
    return Duplicates(
        columns=mine.columns,
        rows=len(mine.held),
        distinct=distinct,
        of=None if mine.chosen is None else mine.total,
        texts=found.texts(sorted(set(shown)), TEXT) if shown else {},
        where=Location(file=found.file, split=split.value),
        **told,
    )


def among(numbers: Any, some: Any) -> Any:
    """
    Return for each number whether it is one of some others, which are sorted and distinct.

    A table of their highest bits sends most numbers away before they are looked for.
    """
    import numpy as np

    table = np.zeros(1 << BITS, bool)
    table[_highest(some)] = True
    told = np.zeros(len(numbers), bool)
    for begin in range(0, len(numbers), AT_ONCE):
        held = numbers[begin : begin + AT_ONCE]
        near = np.flatnonzero(table[_highest(held)])
        if len(near):
            places = np.searchsorted(some, held[near])
            places[places == len(some)] = 0
            told[begin + near] = some[places] == held[near]
    return told


def _highest(numbers: Any) -> Any:
    import numpy as np

    return (numbers >> np.uint64(64 - BITS)).astype(np.int64)


def _distinct(ranked: Any) -> Any:
    """Return the numbers of a sorted array, each once."""
    import numpy as np

    return ranked[np.concatenate([[True], ranked[1:] != ranked[:-1]])[: len(ranked)]]


def _shared(pipeline: Pipeline, mine: Numbers) -> dict[str, Any]:
    """Look the rows of the evaluation up in the training data."""
    import numpy as np

    theirs = pipeline.optional(Numbers, Split.TRAIN)
    if theirs is None or theirs.columns != mine.columns:
        return {}
    # The evaluation is the smaller of the two: it is sorted, and the training looked up in it.
    hits = np.flatnonzero(among(theirs.held, np.unique(mine.held)))
    met = np.unique(theirs.held[hits])
    shared = np.flatnonzero(among(mine.held, met))
    pairs = []
    for place in shared[:SHOWN]:
        twin = hits[theirs.held[hits] == mine.held[place]][0]
        pairs.append((mine.row(place), theirs.row(twin)))
    return {
        "shared": len(shared),
        "shared_pairs": tuple(pairs),
        "train_rows": len(theirs.held),
        "train_of": None if theirs.chosen is None else theirs.total,
    }


def _contradictions(
    pipeline: Pipeline, found: Source, mine: Numbers, twins: Any
) -> dict[str, Any]:
    """Count the rows whose input occurs with several labels, where a row has one class."""
    import numpy as np

    try:
        name = found.label(label_columns(pipeline))
        values = found.labels(name)
    except Unavailable:
        return {}
    if kind_of(values.type) not in {"int", "text", "bool"}:
        return {"contradicting": UNKNOWN}
    order = twins[np.argsort(mine.held[twins], kind="stable")]
    ranked = mine.held[order]
    begins = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]])[: len(order)])
    whole = arrow.plain(values.take(order if mine.chosen is None else mine.chosen[order]))
    encoded = whole.combine_chunks().dictionary_encode()
    labels = np.asarray(encoded.indices.fill_null(-1))
    groups = np.repeat(np.arange(len(begins)), np.diff(np.append(begins, len(order))))
    sizes = np.bincount(groups, minlength=len(begins))
    differs = np.flatnonzero((groups[1:] == groups[:-1]) & (labels[1:] != labels[:-1]))
    mixed = np.unique(groups[differs])
    pairs: list[tuple[int, int]] = []
    told: list[tuple[object, object]] = []
    words = encoded.dictionary.to_pylist()
    for group in mixed[:SHOWN]:
        held = labels[begins[group] : begins[group] + sizes[group]]
        second = int(np.flatnonzero(held != held[0])[0])
        places = order[begins[group]], order[begins[group] + second]
        pairs.append((mine.row(places[0]), mine.row(places[1])))
        one, other = (None if n < 0 else words[n] for n in (held[0], held[second]))
        told.append((one, other))
    wrong = int(sizes[mixed].sum() - _commonest(groups, labels, len(words))[mixed].sum())
    return {
        "contradicting": int(sizes[mixed].sum()),
        "unlearnable": wrong,
        "pairs": tuple(pairs),
        "pair_labels": tuple(told),
    }


def _commonest(groups: Any, labels: Any, kinds: int) -> Any:
    """Return for each group how many of its rows have the label that is commonest in it."""
    import numpy as np

    if not len(groups):
        return np.zeros(0, np.int64)
    kinds += 1  # -1 stands for rows without a label
    pairs, counts = np.unique(groups * kinds + labels + 1, return_counts=True)
    begins = np.flatnonzero(np.concatenate([[True], np.diff(pairs // kinds) > 0]))
    return np.maximum.reduceat(counts, begins)
