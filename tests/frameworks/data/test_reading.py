"""The order in which rows are read, and what is remembered of values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipedoctor.frameworks.data.reading import order, read_by_index
from pipedoctor.frameworks.data.record import length_of, merged, plain, word


@given(st.integers(0, 500), st.integers(1, 40))
def test_every_row_is_read_once(total: int, size: int) -> None:
    rows = list(order(total, size))
    assert sorted(rows) == list(range(total))
    assert rows[: min(size, total)] == list(range(min(size, total)))


def test_a_few_rows_are_spread_over_the_data() -> None:
    rows = list(order(100_000, 8))[:100]
    assert rows[8] == 99_999
    assert len({row // 10_000 for row in rows}) == 10


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (3, "int64"),
        (True, "bool"),
        ("a", "string"),
        (None, "null"),
        ([1, 2], "list<int64>"),
        ([1, 2.5], "list<double>"),
        ([], "list<null>"),
        (torch.tensor(3), "int64"),
        (torch.ones(2, 3), "list<list<float>>"),
        (np.float64(0.5), "double"),
        (np.zeros(4, dtype=np.int32), "list<int32>"),
        ({"a": 1}, "struct"),
        ([1, "a"], "list<mixed>"),
    ],
)
def test_words_for_types(value: Any, told: str) -> None:
    assert word(value) == told


def test_types_of_several_rows() -> None:
    assert merged({"null", "int64"}) == "int64"
    assert merged({"list<null>", "list<int64>"}) == "list<int64>"
    assert merged({"int64", "string"}) == "mixed"
    assert merged(set()) == "null"


def test_labels_in_arrays() -> None:
    assert plain(torch.tensor(3)) == 3
    assert plain(np.int64(3)) == 3
    assert plain(torch.tensor([1, 0])) == [1, 0]
    image = torch.zeros(3, 224, 224)
    assert plain(image) is image
    assert length_of(torch.tensor(3)) is None
    assert length_of(image) == 3


def test_a_data_set_that_answers_for_batches_is_asked_for_batches() -> None:
    class Padded(torch.utils.data.Dataset):  # type: ignore[type-arg]  # rows of any kind
        def __len__(self) -> int:
            return 20

        def __getitem__(self, row: int) -> Any:
            return {"input_ids": [1] * (row + 1)}

        def __getitems__(self, rows: list[int]) -> Any:
            longest = max(rows) + 1
            return [{"input_ids": [1] * longest} for _ in rows]

    def told(data: Any) -> bool:
        return read_by_index(data, len(data), (), 4, 5.0).together

    assert told(Padded())
    assert told(torch.utils.data.Subset(Padded(), range(10)))
    assert not told([{"input_ids": [1]}] * 20)
    assert not told(torch.utils.data.Subset([{"input_ids": [1]}] * 20, range(10)))
