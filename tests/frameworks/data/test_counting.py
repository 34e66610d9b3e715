"""Counting by Arrow agrees with counting by hand."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import datasets
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipedoctor.fact import Unknown
from pipedoctor.frameworks.data import arrow
from pipedoctor.frameworks.data.counting import SHOWN, count
from pipedoctor.probes.tally import count as count_by_row

MOST = 1000

values = st.one_of(
    st.lists(st.one_of(st.none(), st.integers(-3, 5))),
    st.lists(st.one_of(st.none(), st.sampled_from(["a", "b", ""]))),
    st.lists(st.one_of(st.none(), st.booleans())),
    st.lists(st.one_of(st.none(), st.sampled_from([0.5, -1.0, math.nan]))),
)
lists = st.lists(
    st.one_of(st.none(), st.lists(st.one_of(st.none(), st.integers(0, 4)), max_size=5))
)


def by_hand(rows: list[Any]) -> tuple[dict[Any, int], dict[Any, list[int]], int]:
    counts: dict[Any, int] = defaultdict(int)
    first: dict[Any, list[int]] = defaultdict(list)
    missing = 0
    for row, value in enumerate(rows):
        missing += value is None or (isinstance(value, float) and math.isnan(value))
        for item in value if isinstance(value, list) else [value]:
            if item is not None and not (isinstance(item, float) and math.isnan(item)):
                counts[item] += 1
                if row not in first[item] and len(first[item]) < SHOWN:
                    first[item].append(row)
    return dict(counts), dict(first), missing


def chunked(rows: list[Any], kind: Any, size: int) -> Any:
    return pa.chunked_array(
        [pa.array(rows[i : i + size], kind) for i in range(0, len(rows), size)], kind
    )


@given(values, st.integers(1, 4))
def test_one_value_a_row(rows: list[Any], size: int) -> None:
    kind = pa.array(rows).type if any(v is not None for v in rows) else pa.int64()
    found = count(chunked(rows, kind, size), MOST)
    counts, first, missing = by_hand(rows)
    assert found.counts == counts
    assert list(found.counts) == sorted(counts)
    assert found.examples == {value: tuple(some) for value, some in first.items()}
    assert (found.rows, found.missing, found.distinct) == (len(rows), missing, len(counts))
    if found.kind in {"int", "float"} and counts:
        assert (found.minimum, found.maximum) == (min(counts), max(counts))


@given(lists, st.integers(1, 4), st.sampled_from([pa.list_, pa.large_list]))
def test_lists_of_values(rows: list[Any], size: int, kind: Any) -> None:
    found = count(chunked(rows, kind(pa.int64()), size), MOST)
    counts, first, missing = by_hand(rows)
    assert (found.counts, found.missing) == (counts, missing)
    assert found.examples == {value: tuple(some) for value, some in first.items()}
    lengths = {len(row) for row in rows if row is not None}
    assert found.width == (lengths.pop() if len(lengths) == 1 else 0)


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        ([1, 2], "int"),
        ([1.5], "float"),
        (["a"], "text"),
        ([True], "bool"),
        ([{"a": 1}], "other"),
        ([None], "other"),
        ([[1.0]], "float"),
        ([["a"]], "text"),
        ([[[1]]], "other"),
    ],
)
def test_kinds(rows: list[Any], kind: str) -> None:
    assert count(pa.chunked_array([pa.array(rows)]), MOST).kind == kind


def test_of_very_many_values_only_the_number_is_told() -> None:
    found = count(pa.chunked_array([pa.array(range(MOST + 1))]), MOST)
    assert found.distinct == MOST + 1
    assert isinstance(found.counts, Unknown)
    assert found.examples == {}
    assert (found.minimum, found.maximum) == (0, MOST)
    assert count(pa.chunked_array([pa.array(range(MOST))]), MOST).counts == dict.fromkeys(
        range(MOST), 1
    )


def test_many_values_spread_over_chunks_of_lists_are_noticed() -> None:
    chunks = [pa.array([[i, i + 1]]) for i in range(0, 2 * MOST, 2)]
    found = count(pa.chunked_array(chunks), MOST)
    assert isinstance(found.counts, Unknown)
    assert (found.minimum, found.maximum) == (0, 2 * MOST - 1)


def test_lists_of_one_fixed_length() -> None:
    rows = pa.array([[0.0, 1.0], [1.0, 1.0]], pa.list_(pa.float32(), 2))
    found = count(pa.chunked_array([rows]), MOST)
    assert (found.width, found.counts) == (2, {0.0: 1, 1.0: 3})


@given(st.lists(st.one_of(st.none(), st.text(max_size=6)), max_size=12), st.integers(0, 3))
def test_longest_rows(texts: list[str | None], most: int) -> None:
    data = datasets.Dataset(pa.table({"text": pa.array(texts, pa.string())}))
    found = arrow.longest(data, ("text",), most)
    length = [len((text or "").encode()) for text in texts]
    assert list(found) == sorted(range(len(texts)), key=lambda row: (-length[row], row))[:most]


def test_order_of_a_shuffled_data_set_is_followed() -> None:
    data = datasets.Dataset.from_dict({"text": ["a", "bbb", "cc"], "label": [0, 1, 2]})
    turned = data.select([2, 0, 1, 1])
    assert arrow.column(turned, "label").to_pylist() == [2, 0, 1, 1]
    assert arrow.longest(turned, ("text",), 3) == (2, 3, 0)


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (pa.large_string(), "string"),
        (pa.list_(pa.int64()), "list<int64>"),
        (pa.large_list(pa.int32()), "list<int32>"),
        (pa.list_(pa.float32(), 3), "list<float>"),
        (pa.list_(pa.list_(pa.large_string())), "list<list<string>>"),
        (pa.dictionary(pa.int8(), pa.string()), "string"),
        (pa.struct([("a", pa.int8())]), "struct<a: int8>"),
        (datasets.Array2D((2, 2), "float32")(), "list<list<float>>"),
    ],
)
def test_words_for_types(kind: Any, word: str) -> None:
    assert arrow.word(kind) == word


@pytest.mark.parametrize(
    ("rows", "hot"),
    [
        ([[0, 1, 0], [1, 0, 0], [0, 1, 0]], {0: (1,), 1: (0, 2)}),
        ([[0.0, 1.0], [1.0, 0.0]], {0: (1,), 1: (0,)}),
        ([[1, 1], [0, 0]], {}),
        ([[1, 0], [2, 0]], {}),
        ([[1, 0], None], {}),
        ([[1, 0], [1]], {}),
    ],
)
def test_rows_with_a_single_one(rows: list[Any], hot: dict[int, tuple[int, ...]]) -> None:
    kind = pa.array(rows).type
    for size in (1, 2, 3):
        assert count(chunked(rows, kind, size), MOST).hot == hot
    assert count_by_row(dict(enumerate(rows))).hot == hot
