"""Data whose rows its own code makes: what is told of it, and of a row that can't be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pipelines import pipeline

from pipedoctor import failures, registry
from pipedoctor.fact import Split, Unavailable
from pipedoctor.facts import Columns, Labels, Rows, Samples
from pipedoctor.frameworks.data import reading
from pipedoctor.frameworks.data.reading import Read
from pipedoctor.pipeline import ProbeFailed
from pipedoctor.report import Status


class Data:
    """A data set that keeps a list of the rows it was asked for."""

    def __init__(self, make: Callable[[int], Any], count: int) -> None:
        self._make, self._count = make, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, row: int) -> Any:
        return self._make(row)


class Features:
    def __init__(self, **held: Any) -> None:
        self.__dict__.update(held)


def texts(row: int) -> dict[str, Any]:
    return {"input_ids": [2] * (3 + row % 5), "label": row % 3, "text": f"text {row}"}


def test_every_row_is_counted_where_that_is_cheap() -> None:
    found = pipeline(train_data=Data(texts, 1000)).fact(Labels)
    assert (found.rows, found.partial, found.of) == (1000, False, None)
    assert found.counts == {0: 334, 1: 333, 2: 333}
    assert (found.minimum, found.maximum, found.distinct) == (0, 2, 3)
    assert found.examples == {0: (0, 3, 6), 1: (1, 4, 7), 2: (2, 5, 8)}
    assert found.texts[1] == "text 1"


def test_columns_and_types() -> None:
    found = pipeline(train_data=Data(texts, 30)).fact(Columns)
    assert found.types == {"input_ids": "list<int64>", "label": "int64", "text": "string"}
    assert found.filtered is True


def test_the_first_rows_and_the_longest_are_kept() -> None:
    def make(row: int) -> dict[str, Any]:
        return {"input_ids": [2] * {70: 9, 40: 8}.get(row, 3), "label": 0}

    found = pipeline(train_data=Data(make, 100)).fact(Samples)
    assert found.rows == (*range(8), 70, 40)
    assert found.lengths["input_ids"] == (*[3] * 8, 9, 8)
    assert found.read is None


def test_labels_that_were_read_in_part_are_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST", 60)
    found = pipeline(train_data=Data(texts, 1000)).fact(Labels)
    assert (found.rows, found.partial, found.of) == (60, True, 1000)
    assert sum(found.seen.values()) == 60
    assert set(found.seen) == {0, 1, 2}
    assert found.summary()["of"] == 1000
    for name in ("counts", "distinct", "minimum", "maximum", "classes"):
        with pytest.raises(Unavailable, match="60 of 1,000 rows of the train data were read"):
            getattr(found, name)


def test_no_check_speaks_of_all_rows_where_some_were_read(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipedoctor.runner import run_one

    monkeypatch.setattr(reading, "MOST", 60)
    known = registry.load()
    subject = pipeline(train_data=Data(texts, 1000), settings={"num_labels": 3})
    for code in ("LAB001", "LAB002"):
        outcome = run_one(known[code], subject, {})
        assert outcome.status is Status.SKIPPED
        assert "60 of 1,000 rows" in outcome.reason
    wrong = run_one(
        known["LAB001"],
        pipeline(train_data=Data(texts, 1000), settings={"num_labels": 2}),
        {},
    )
    (finding,) = wrong.findings
    assert "60 rows (of 1,000) were read" in finding.message
    assert finding.evidence["out_of_range"] == [2]


def test_slow_rows_are_read_as_long_as_patience_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(10_000))
    monkeypatch.setattr(reading.time, "monotonic", lambda: float(next(clock)))
    found = pipeline(train_data=Data(texts, 1000)).fact(Read)
    assert 2 <= found.count < 20
    assert found.first[0] == 0
    assert not found.complete


def broken(row: int) -> dict[str, Any]:
    held = texts(row)
    if row in {733, 900}:
        del held["label"]
    return {"input_ids": held["input_ids"], "label": held["label"]}


def test_a_row_that_raises_is_named_with_the_line_that_raised() -> None:
    subject = pipeline(train_data=Data(broken, 1000), settings={"num_labels": 3})
    with pytest.raises(ProbeFailed) as raised:
        subject.fact(Labels)
    assert raised.value.rows == (733,)
    rows = registry.load().rows
    (outcome,) = failures.attribute([], subject, rows)
    (finding,) = outcome.findings
    assert outcome.rule.code == "RUN001"
    assert finding.message == (
        "Reading 2 of 1,000 rows, first row 733, of the training data raised KeyError: 'label'"
    )
    assert finding.where.rows == (733,)
    assert finding.where.split == "train"
    assert finding.where.file == __file__
    assert (
        finding.where.source == 'return {"input_ids": held["input_ids"], "label": held["label"]}'
    )


def test_the_batch_is_looked_at_although_a_later_row_raises() -> None:
    subject = pipeline(train_data=Data(broken, 1000))
    assert subject.fact(Samples).rows[:8] == tuple(range(8))
    assert set(subject.fact(Columns).types) == {"input_ids", "label"}


def test_a_row_of_the_first_batch_that_raises_is_the_answer_to_all() -> None:
    def make(row: int) -> Any:
        return texts(row) if row != 7 else 1 // 0

    subject = pipeline(train_data=Data(make, 100))
    for kind in (Columns, Labels, Samples):
        with pytest.raises(ProbeFailed, match="ZeroDivisionError"):
            subject.fact(kind)


def test_tuples_have_no_columns_and_are_not_guessed_at() -> None:
    subject = pipeline(train_data=Data(lambda row: ([2, 3], row % 2), 20))
    assert subject.fact(Read).kept[3] == ([2, 3], 1)
    for kind, told in ((Columns, "no named columns"), (Labels, "no named labels")):
        with pytest.raises(Unavailable):
            subject.fact(kind)
        probes = [p for p in subject.probes if p.of(kind)]
        assert any(told in _reason(probe, subject) for probe in probes)


def _reason(probe: Any, subject: Any) -> str:
    try:
        probe.measure(subject, Split.TRAIN)
    except Unavailable as reason:
        return str(reason)
    return ""


def test_objects_are_read_by_their_attributes_and_never_filtered() -> None:
    found = pipeline(train_data=Data(lambda row: Features(input_ids=[1, 2], label=row % 2), 20))
    assert found.fact(Columns).types == {"input_ids": "list<int64>", "label": "int64"}
    assert found.fact(Columns).filtered is False
    assert found.fact(Labels).counts == {0: 10, 1: 10}


def test_labels_of_tokens_are_told_from_lists_of_a_width() -> None:
    def tokens(row: int) -> dict[str, Any]:
        size = 2 + row % 3
        return {"input_ids": [5] * size, "labels": [0] * (size - 1) + [1]}

    def several(row: int) -> dict[str, Any]:
        return {"input_ids": [5] * (2 + row % 3), "labels": [1.0, 0.0, 0.0, 1.0]}

    assert pipeline(train_data=Data(tokens, 12)).fact(Labels).per_token
    found = pipeline(train_data=Data(several, 12)).fact(Labels)
    assert (found.per_token, found.width, found.kind) == (False, 4, "float")


def test_no_rows() -> None:
    subject = pipeline(train_data=Data(texts, 0))
    assert subject.fact(Rows).used == 0
    with pytest.raises(Unavailable):
        subject.fact(Samples)


def test_a_longer_length_than_there_are_rows_is_found() -> None:
    held = [texts(row) for row in range(50)]
    subject = pipeline(train_data=Data(held.__getitem__, 51))
    with pytest.raises(ProbeFailed, match="IndexError") as raised:
        subject.fact(Labels)
    assert raised.value.rows == (50,)
