"""Whole columns compared, measured and counted: as loops over rows would do it."""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipedoctor import frameworks
from pipedoctor.fact import Split, Unavailable
from pipedoctor.facts import Duplicates, Features, LabelOrder, Lengths, Recoded
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline

np = pytest.importorskip("numpy")
pytest.importorskip("torch")
datasets = pytest.importorskip("datasets")

from pipedoctor.frameworks.data import duplicates, hashing, lengths  # noqa: E402 - after the skips

SMALL = st.lists(st.integers(0, 2), max_size=3)
ROWS = st.lists(st.tuples(SMALL, st.text("ab", max_size=2), st.integers(0, 1)), min_size=1)


def measured(fact: Any, split: Split = Split.TRAIN, **parts: Any) -> Any:
    given = Parts({"settings": {"output_dir": "out"}, **parts})
    return Pipeline(given, frameworks.probes(given)).fact(fact, split)


def table(rows: list[Any]) -> Any:
    features = datasets.Features(
        {
            "ids": datasets.List(datasets.Value("int32")),
            "text": datasets.Value("string"),
            "n": datasets.Value("int64"),
        }
    )
    columns = {name: [row[n] for row in rows] for n, name in enumerate(("ids", "text", "n"))}
    return datasets.Dataset.from_dict(columns, features=features)


@given(ROWS)
@settings(max_examples=60, deadline=None)
def test_equal_rows_and_no_others_have_equal_numbers(rows: list[Any]) -> None:
    numbers = hashing.rows(table(rows), ("ids", "text", "n")).tolist()
    of: dict[Any, set[int]] = defaultdict(set)
    for row, number in zip(rows, numbers, strict=True):
        of[tuple(row[0]), row[1], row[2]].add(number)
    assert all(len(held) == 1 for held in of.values())
    assert len(set(numbers)) == len(of)


@given(ROWS, st.randoms())
@settings(max_examples=30, deadline=None)
def test_numbers_follow_the_order_of_rows(rows: list[Any], draw: random.Random) -> None:
    data = table(rows)
    order = list(range(len(rows)))
    draw.shuffle(order)
    whole = hashing.rows(data, ("ids", "text"))
    assert hashing.rows(data.select(order), ("ids", "text")).tolist() == whole[order].tolist()
    assert hashing.rows(data, ("ids", "text"), np.array([0])).tolist() == whole[:1].tolist()


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(0)
    rows = [(draw.choices(range(9), k=draw.randint(0, 9)), "x" * (n % 7), n) for n in range(500)]
    data = datasets.concatenate_datasets([table(rows[:50]), table(rows[50:])])
    whole = hashing.rows(table(rows), ("ids", "text")).tolist()
    monkeypatch.setattr(hashing, "BLOCK", 64)
    assert hashing.rows(data, ("ids", "text")).tolist() == whole


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("int32", [51, None, 0, -77, None]),
        ("float32", [float(2**53), None, 0.0, -1.0, None]),
        ("bool", [True, None, False, None]),
        ("string", ["", None, "null", None]),
        ("list", [[51], [None], [], None, [0], [51, None], [None, 51], None]),
    ],
)
def test_a_null_is_equal_to_nothing_but_a_null(kind: str, values: list[Any]) -> None:
    value = datasets.List(datasets.Value("int32")) if kind == "list" else datasets.Value(kind)
    data = datasets.Dataset.from_dict({"x": values}, datasets.Features({"x": value}))
    numbers = hashing.rows(data, ("x",)).tolist()
    assert len(set(numbers)) == len(values) - 1
    assert numbers[values.index(None)] == numbers[-1]


def test_what_cannot_be_compared_is_not() -> None:
    data = datasets.Dataset.from_dict({"x": [[[1], [2]], [[3], [4]]]})
    with pytest.raises(Unavailable, match="which are not compared"):
        hashing.rows(data, ("x",))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_contradictions_are_counted_as_a_loop_counts_them(rows: list[tuple[int, int]]) -> None:
    data = datasets.Dataset.from_dict(
        {"text": [f"t{n}" for n, _ in rows], "label": [label for _, label in rows]}
    )
    told = measured(Duplicates, train_data=data)
    of: dict[int, list[int]] = defaultdict(list)
    for text, label in rows:
        of[text].append(label)
    mixed = [held for held in of.values() if len(set(held)) > 1]
    assert told.distinct == len(of)
    assert told.contradicting == sum(map(len, mixed))
    wrong = sum(len(held) - max(map(held.count, held)) for held in mixed)
    assert told.unlearnable == wrong
    for one, other in told.pairs:
        assert rows[one][0] == rows[other][0]
        assert rows[one][1] != rows[other][1]


@given(st.lists(st.integers(0, 9), min_size=1), st.lists(st.integers(0, 9), min_size=1))
@settings(max_examples=40, deadline=None)
def test_shared_rows_are_counted_as_a_loop_counts_them(mine: list[int], theirs: list[int]) -> None:
    split = {
        name: datasets.Dataset.from_dict({"text": [f"t{n}" for n in rows]})
        for name, rows in (("eval_data", mine), ("train_data", theirs))
    }
    told = measured(Duplicates, Split.EVAL, **split)
    assert told.shared == sum(number in theirs for number in mine)
    assert all(mine[row] == theirs[twin] for row, twin in told.shared_pairs)


def test_of_many_rows_some_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "MOST", 50)
    data = datasets.Dataset.from_dict({"text": [f"t{n}" for n in range(200)], "label": [0] * 200})
    told = measured(Duplicates, train_data=data)
    assert (told.rows, told.of, told.distinct) == (50, 200, 50)


def test_long_rows_are_drawn_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "MOST_VALUES", 1000)
    data = datasets.Dataset.from_dict({"text": ["x" * 99 + str(n % 10) for n in range(200)]})
    assert measured(Duplicates, train_data=data).rows == 10


@given(st.lists(st.integers(0, 2), min_size=2, max_size=60))
@settings(max_examples=60, deadline=None)
def test_runs_are_counted_as_a_loop_counts_them(values: list[int]) -> None:
    data = datasets.Dataset.from_dict({"text": ["t"] * len(values), "label": values})
    told = measured(LabelOrder, train_data=data)
    assert told.runs == 1 + sum(a != b for a, b in itertools.pairwise(values))
    assert values[told.begins : told.begins + told.longest] == [told.label] * told.longest


def test_a_random_order_has_as_many_runs_as_expected() -> None:
    """Over 200 shuffles, mean and spread are those told."""
    values = [0] * 300 + [1] * 100 + [2] * 50
    data = datasets.Dataset.from_dict({"text": ["t"] * 450, "label": values})
    told = measured(LabelOrder, train_data=data)
    draw = np.random.default_rng(0)
    runs = [1 + int((np.diff(draw.permutation(values)) != 0).sum()) for _ in range(200)]
    assert abs(np.mean(runs) - told.expected) < 4 * told.deviation / 200**0.5 + 1
    assert 0.85 < np.std(runs) / told.deviation < 1.15


@pytest.mark.parametrize("masked", [True, False])
def test_padding_is_not_counted(masked: bool) -> None:
    rows = [[5] * (3 + n % 4) for n in range(40)]
    padded = {"input_ids": [row + [0] * (9 - len(row)) for row in rows]}
    if masked:
        padded["attention_mask"] = [[1] * len(row) + [0] * (9 - len(row)) for row in rows]

    class Padding:
        pad_token_id = 0

        def __call__(self) -> None: ...

    told = measured(Lengths, train_data=datasets.Dataset.from_dict(padded), tokenizer=Padding())
    assert (told.width, told.stored, told.longest) == (9, 360, 6)
    assert told.tokens == sum(map(len, rows))
    assert told.at_longest == sum(len(row) == 6 for row in rows)
    assert told.tokens < told.batched <= 40 * 6


def test_of_many_rows_padding_is_counted_in_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lengths, "MOST", 100)
    mask = [[1] * (1 + n % 2) + [0] * (1 - n % 2) for n in range(1000)]
    data = datasets.Dataset.from_dict({"input_ids": [[1, 1]] * 1000, "attention_mask": mask})
    assert abs(measured(Lengths, train_data=data).tokens - 1500) < 200


def test_rows_that_a_filter_took_for_want_of_labels() -> None:
    labels = [[-100, -100], [-100, 4]] * 8
    data = datasets.Dataset.from_dict({"input_ids": [[1, 4]] * 16, "labels": labels})
    kept = data.filter(lambda row: any(x != -100 for x in row["labels"]))
    assert measured(Lengths, train_data=kept).left_out == 8
    assert measured(Lengths, train_data=data.select(range(1, 9))).left_out == 0
    assert measured(Lengths, train_data=data.shuffle(seed=0)).left_out == 0


def test_numbers_that_are_none_are_found_where_they_are() -> None:
    import torch

    class Net(torch.nn.Module):
        def forward(self, x: Any, y: Any, labels: Any = None) -> Any: ...

    x = [[float(n), 1.0] for n in range(10)]
    x[4][0] = float("inf")
    y = [None if n == 7 else 0.5 * n for n in range(10)]
    data = datasets.Dataset.from_dict({"x": x, "y": y, "labels": [0.5] * 10, "other": y})
    told = measured(Features, train_data=data, model=Net())
    assert set(told.of_name) == {"x[0]", "x[1]", "y"}
    assert (told.of_name["x[0]"].not_finite, told.of_name["x[0]"].first_bad) == (1, (4,))
    assert (told.of_name["y"].not_finite, told.of_name["y"].first_bad) == (1, (7,))
    assert told.of_name["x[1]"].minimum == told.of_name["x[1]"].maximum == 1.0
    assert told.of_name["x[0]"].maximum == 9.0


def test_texts_and_tokens_that_belong_together() -> None:
    import language_pipelines as lm

    made = lm.tokenizer()
    texts = lm.texts(40)
    rows = [
        {"id": f"row-{n}", "text": text, "input_ids": made(text)["input_ids"][:12]}
        for n, text in enumerate(texts)
    ]
    told = measured(Recoded, train_data=lm.dataset(rows), tokenizer=made)
    whole = [len(made(text)["input_ids"]) for text in texts]
    assert told.cut == len(told.longest_cut) == sum(n > 12 for n in whole)
    assert told.same == sum(n <= 12 for n in whole)
    assert told.foreign == ()
    assert told.whole == sum(n for n in whole if n > 12)
    assert told.kept == 12 * told.cut


def test_a_template_around_the_text_is_no_other_tokenizer() -> None:
    import language_pipelines as lm

    made = lm.tokenizer()
    rows = [
        {
            "text": text,
            "input_ids": made(f"### Question\n{text.upper()}\n### Answer:")["input_ids"],
        }
        for text in lm.texts(40)
    ]
    told = measured(Recoded, train_data=lm.dataset(rows), tokenizer=made)
    long_enough = sum(len(text.replace(" ", "")) >= 20 for text in lm.texts(40))
    assert told.inside == long_enough
    assert told.foreign == ()


def test_tokens_of_a_text_that_is_not_stored_are_not_judged() -> None:
    """As in a translation, whose target only is left beside the tokens of its source."""
    import language_pipelines as lm

    made = lm.tokenizer()
    rows = [
        {"text": "".join(chr(97 + (ord(c) * 7) % 26) for c in text), "input_ids": ids}
        for text in lm.texts(40)
        for ids in [made(text)["input_ids"]]
    ]
    told = measured(Recoded, train_data=lm.dataset(rows), tokenizer=made)
    assert told.foreign == ()
