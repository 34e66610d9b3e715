"""Streams: what is read of them is still there for training."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import datasets
import pytest
import torch
from pipelines import pipeline

from pipedoctor.fact import Split, Unavailable
from pipedoctor.facts import Columns, Head, LabelOrder, Labels, Rows, Samples
from pipedoctor.finding import Severity
from pipedoctor.frameworks.data.reading import Read
from pipedoctor_checks.data.sorted_and_never_shuffled import sorted_and_never_shuffled

ROWS = [{"input_ids": [2, 5 + n % 7, 3], "label": n % 3} for n in range(40)]


class Fresh(torch.utils.data.IterableDataset):  # type: ignore[type-arg]  # rows of any kind
    """Starts anew, but counts and draws on the way."""

    def __init__(self) -> None:
        self.begun = 0
        self.generator = torch.Generator().manual_seed(3)

    def __iter__(self) -> Iterator[Any]:
        self.begun += 1
        for row in ROWS:
            yield {**row, "noise": float(torch.rand(1, generator=self.generator))}


class Shared(torch.utils.data.IterableDataset):  # type: ignore[type-arg]  # rows of any kind
    """Goes on where the last iterator stopped."""

    def __init__(self) -> None:
        self.rows = iter(ROWS)

    def __iter__(self) -> Iterator[Any]:
        yield from self.rows


def test_the_first_batch_of_a_stream_is_looked_at() -> None:
    subject = pipeline(train_data=Fresh())
    assert subject.fact(Rows).used is None
    assert subject.fact(Samples).rows == tuple(range(8))
    found = subject.fact(Labels)
    assert (found.partial, found.of, found.rows, found.seen) == (True, None, 8, {0: 3, 1: 3, 2: 2})
    with pytest.raises(Unavailable, match="a stream, of which 8 rows were read"):
        _ = found.counts


def test_a_stream_that_starts_anew_is_as_it_was() -> None:
    data, untouched = Fresh(), Fresh()
    pipeline(train_data=data).fact(Read)
    assert data.begun == 0
    assert list(data) == list(untouched)


def test_a_stream_that_shares_its_iterator_is_left_alone() -> None:
    data = Shared()
    with pytest.raises(Unavailable, match="holds a list_iterator"):
        pipeline(train_data=data).fact(Read)
    assert list(data) == ROWS


def test_in_a_process_that_is_thrown_away_it_is_read() -> None:
    run = {"trainings": 1, "time_limit": 60}
    assert pipeline(train_data=Shared(), run=run).fact(Read).count == 8


def test_in_a_process_that_trains_on_it_is_left_alone() -> None:
    data = Shared()
    with pytest.raises(Unavailable, match="holds a list_iterator"):
        pipeline(train_data=data, run={"trainings": 1, "ended": "reached its training"}).fact(Read)
    assert list(data) == ROWS


def test_a_stream_over_an_open_file_is_left_alone(tmp_path: Any) -> None:
    class Lines(torch.utils.data.IterableDataset):  # type: ignore[type-arg]  # rows of any kind
        def __init__(self) -> None:
            self.file = path.open()

        def __iter__(self) -> Iterator[Any]:
            yield from self.file

    path = tmp_path / "rows.txt"
    path.write_text("a\nb\n")
    data = Lines()
    with pytest.raises(Unavailable, match="TextIOWrapper"):
        pipeline(train_data=data).fact(Read)
    assert data.file.tell() == 0
    data.file.close()


def test_a_stream_over_a_global_iterator_is_left_alone() -> None:
    shared = iter(ROWS)

    class Closed(torch.utils.data.IterableDataset):  # type: ignore[type-arg]  # rows of any kind
        def __iter__(self) -> Iterator[Any]:
            yield from shared

    with pytest.raises(Unavailable, match="holds a list_iterator"):
        pipeline(train_data=Closed()).fact(Read)
    assert list(shared) == ROWS


def test_a_generator_is_never_read() -> None:
    data = (row for row in ROWS)
    with pytest.raises(Unavailable, match="can be read only once"):
        pipeline(train_data=data, run={"trainings": 0}).fact(Read)
    assert len(list(data)) == len(ROWS)


def hub_like() -> Any:
    table = datasets.Dataset.from_list(ROWS)
    return table.to_iterable_dataset(num_shards=2).shuffle(seed=1, buffer_size=10)


def test_a_stream_of_datasets_is_read_from_a_copy_and_keeps_its_state() -> None:
    data = hub_like()
    before = copy.deepcopy(data.state_dict())
    found = pipeline(train_data=data)
    assert found.fact(Samples).lengths["input_ids"] == (3,) * 8
    assert found.fact(Columns).types == {"input_ids": "list<int32>", "label": "int64"}
    assert data.state_dict() == before
    assert list(data) == list(hub_like())


def test_a_stream_begun_by_the_user_goes_on_where_it_was() -> None:
    data = hub_like()
    iterator = iter(data)
    first = [next(iterator) for _ in range(5)]
    state = copy.deepcopy(data.state_dict())
    pipeline(train_data=data).fact(Read)
    assert data.state_dict() == state
    rest = list(iterator)
    assert [*first, *rest] == list(hub_like())


def test_columns_of_a_stream_without_features_come_from_its_rows() -> None:
    def rows() -> Iterator[Any]:
        yield from ROWS

    data = datasets.IterableDataset.from_generator(rows)
    assert data.features is None
    assert pipeline(train_data=data).fact(Columns).types["input_ids"] == "list<int64>"


def test_a_row_that_raises_in_a_stream_is_named() -> None:
    from pipedoctor.pipeline import ProbeFailed

    class Raises(torch.utils.data.IterableDataset):  # type: ignore[type-arg]  # rows of any kind
        def __iter__(self) -> Iterator[Any]:
            yield ROWS[0]
            raise KeyError("label")

    with pytest.raises(ProbeFailed, match="KeyError") as raised:
        pipeline(train_data=Raises()).fact(Labels)
    assert raised.value.doing == "Reading row 1 of the training stream"


def ordered(labels: list[Any]) -> Any:
    class Ordered(torch.utils.data.IterableDataset):  # type: ignore[type-arg]  # rows of any kind
        def __iter__(self) -> Iterator[Any]:
            for label in labels:
                yield {"input_ids": [2, 3], "labels": label}

    return Ordered()


def told(labels: list[Any], head: Head | None = None) -> list[Any]:
    order = pipeline(train_data=ordered(labels)).fact(LabelOrder, Split.TRAIN)
    return list(sorted_and_never_shuffled(order, None, head))


def test_a_stream_that_is_sorted_is_named() -> None:
    (found,) = told([0] * 200 + [1] * 200)
    assert (
        "changes 1 time in the first 400 rows (in a random order about 200 times)" in found.message
    )
    assert "a stream is taken as it comes" in found.message
    assert "25 batches, are all of label 0" in found.message
    assert found.severity is None


@pytest.mark.parametrize("seed", range(20))
def test_a_stream_in_random_order_is_not(seed: int) -> None:
    labels = [0] * 950 + [1] * 50
    random.Random(seed).shuffle(labels)
    assert told(labels) == []


def test_a_stream_that_begins_with_one_label_is_noted_with_the_odds() -> None:
    (found,) = told([4] * 2000 + [1] * 2000, Head(outputs=5))
    assert found.message.startswith("The first 1,000 rows of the stream are all of label 4")
    assert "less than 0.1% of cases, unless more than 99.3% of all rows" in found.message
    assert found.severity is Severity.NOTE


@pytest.mark.parametrize("head", [None, Head(outputs=1)])
def test_where_the_model_tells_nothing_apart_one_label_is_no_order(head: Head | None) -> None:
    assert told([0] * 2000, head) == []


@pytest.mark.parametrize("label", [0.5, [1, 2], None])
def test_labels_that_are_no_classes_have_no_order(label: Any) -> None:
    with pytest.raises(Unavailable, match="no classes"):
        told([label] * 30)


def test_a_stream_is_in_its_order_after_it_was_read() -> None:
    data, untouched = Fresh(), Fresh()
    pipeline(train_data=data).fact(LabelOrder, Split.TRAIN)
    assert data.begun == 0
    assert list(data) == list(untouched)


def test_a_stream_of_datasets_is_judged_as_it_is_shuffled() -> None:
    rows = {"input_ids": [[2, 3]] * 600, "labels": [0] * 300 + [1] * 300}
    plain = datasets.Dataset.from_dict(rows).to_iterable_dataset()
    for data, findings in ((plain, 1), (plain.shuffle(seed=1, buffer_size=600), 0)):
        order = pipeline(train_data=data).fact(LabelOrder, Split.TRAIN)
        assert len(list(sorted_and_never_shuffled(order, None))) == findings
