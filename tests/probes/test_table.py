from __future__ import annotations

from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipedoctor import frameworks
from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts import Columns, Labels, Model, Samples
from pipedoctor.probe import probe

NAN = float("nan")


def labels(subject, values, **columns):
    return subject(train_data={"labels": values, **columns}).fact(Labels)


def test_labels_are_counted_with_the_first_rows_of_each(subject):
    found = labels(subject, [1, 0, 1, 1, 2, 1], text=["a", "b" * 300, "c", "d", "e", "f"])
    assert (found.column, found.kind, found.rows, found.missing) == ("labels", "int", 6, 0)
    assert found.counts == {0: 1, 1: 4, 2: 1}
    assert found.examples == {0: (1,), 1: (0, 2, 3), 2: (4,)}
    assert (found.distinct, found.minimum, found.maximum) == (3, 0, 2)
    assert (found.width, found.per_token) == (None, False)
    assert found.texts == {0: "a", 1: "b" * 80, 2: "c", 3: "d", 4: "e"}
    assert (found.where.column, found.where.split) == ("labels", "train")


@pytest.mark.parametrize(
    ("values", "kind", "counts"),
    [
        ([0.5, 1.5], "float", {0.5: 1, 1.5: 1}),
        ([0, 1.5], "float", {0: 1, 1.5: 1}),
        (["no", "yes", "no"], "text", {"no": 2, "yes": 1}),
        ([True, False, True], "bool", {False: 1, True: 2}),
    ],
)
def test_kinds_of_labels(subject, values, kind, counts):
    found = labels(subject, values)
    assert (found.kind, dict(found.counts)) == (kind, counts)
    assert found.known("minimum") is (kind == "float")


@pytest.mark.parametrize("values", [["a", 1], [b"x"], [{"a": 1}], [1, [1]], [None]])
def test_labels_of_no_one_kind_are_not_counted(subject, values):
    found = labels(subject, values)
    assert found.kind == "other"
    assert not found.known("counts")
    assert not found.known("distinct")


def test_rows_without_a_label_are_missing(subject):
    found = labels(subject, [1, None, NAN, 0])
    assert (found.missing, found.counts, found.minimum) == (2, {0: 1, 1: 1}, 0)
    rows = [{"label": 1}, {"text": "x"}]
    assert subject(train_data=rows).fact(Labels).missing == 1


def test_of_many_distinct_values_only_their_number_is_told(subject):
    many = Labels.MOST_DISTINCT + 1
    found = labels(subject, [i / 7 for i in range(many)])
    assert found.distinct == many
    assert found.maximum == (many - 1) / 7
    assert not found.known("counts")
    assert found.examples == {}


def test_lists_of_one_width_are_multi_hot(subject):
    found = labels(subject, [[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    assert (found.width, found.per_token, found.kind) == (3, False, "float")
    assert found.counts == {0.0: 3, 1.0: 3}
    assert found.examples == {0.0: (0, 1), 1.0: (0, 1)}


def test_lists_of_their_own_lengths(subject):
    found = labels(subject, [[1, 2], [3]], input_ids=[[5, 6, 7], [8, 9]])
    assert (found.width, found.per_token) == (0, False)


@pytest.mark.parametrize("tokens", ["input_ids", "tokens"])
def test_lists_as_long_as_the_tokens_are_labels_of_tokens(subject, tokens):
    found = labels(subject, [[-100, 1], (2,)], **{tokens: [[5, 6], [7]]})
    assert (found.width, found.per_token, found.kind) == (None, True, "int")
    assert found.counts == {-100: 1, 1: 1, 2: 1}


@pytest.mark.parametrize(
    ("settings", "column"),
    [
        ({}, "labels"),
        ({"label_names": ["target"]}, "target"),
        ({"label_column_name": "grade"}, "grade"),
        ({"label_column_name": "absent"}, "labels"),
        ({"label_names": "target"}, "labels"),
    ],
)
def test_which_column_holds_the_labels(subject, settings, column):
    data = {"label": [1], "label_ids": [1], "labels": [1], "target": [1], "grade": [1]}
    assert subject(train_data=data, settings=settings).fact(Labels).column == column


def test_the_other_names_of_labels(subject):
    data = {"label": [1], "label_ids": [2]}
    assert subject(train_data=data).fact(Labels).column == "label"
    assert subject(train_data={"label_ids": [2]}).fact(Labels).column == "label_ids"
    with pytest.raises(Unavailable, match="no column"):
        subject(train_data={"text": ["a"]}).fact(Labels)


def test_evaluation_data_has_its_own_labels(subject):
    pipeline = subject(train_data=[{"label": 0}], eval_data=[{"label": 1}, {"label": 1}])
    assert pipeline.fact(Labels, Split.TRAIN).counts == {0: 1}
    assert pipeline.fact(Labels, Split.EVAL).counts == {1: 2}


class Rows(list):
    """Looks like a list of rows, but is somebody else's."""


class Scalar(int):
    """As numpy's, which is no plain int."""


@pytest.mark.parametrize(
    "data",
    [
        [],
        {},
        {"a": []},
        range(3),
        {"label": range(3)},
        {"label": "abc"},
        {"label": [1], "text": ["a", "b"]},
        "text",
    ],
)
@pytest.mark.parametrize("fact", [Labels, Columns, Samples])
def test_what_is_no_plain_table_is_left_to_adapters(subject, data, fact):
    with pytest.raises(Unavailable, match=r"the data|columns of the data"):
        subject(train_data=data).fact(fact)


def test_rows_that_are_no_plain_dicts_are_read_one_by_one(subject):
    found = subject(train_data=Rows([{"label": 1}])).fact(Labels)
    assert (found.counts, found.column) == ({1: 1}, "label")
    with pytest.raises(Unavailable, match="rows are of type int, which has no named columns"):
        subject(train_data=[1, 2]).fact(Columns)


def test_labels_that_are_not_plain_are_left_to_adapters(subject):
    with pytest.raises(Unavailable, match="Scalar"):
        labels(subject, [Scalar(1)])
    with pytest.raises(Unavailable, match="Scalar"):
        labels(subject, [[Scalar(1)]])


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=2)
VALUES = st.lists(st.one_of(PLAIN, st.lists(PLAIN, max_size=3)), min_size=1, max_size=8)


@given(VALUES, VALUES)
def test_any_plain_table_can_be_looked_at(values, others):
    from pipedoctor.parts import Parts
    from pipedoctor.pipeline import Pipeline

    size = min(len(values), len(others))
    data = {"labels": values[:size], "input_ids": others[:size]}
    pipeline = Pipeline(Parts({"train_data": data}), frameworks.probes(Parts({})))
    found = pipeline.fact(Labels)
    assert found.rows == size
    if found.known("counts"):
        listed = [v for v in data["labels"] if isinstance(v, list)]
        items = [x for v in listed for x in v] if listed else data["labels"]
        present = [x for x in items if x is not None and not (isinstance(x, float) and isnan(x))]
        assert sum(found.counts.values()) == len(present)
    assert set(pipeline.fact(Columns).types) == {"labels", "input_ids"}
    assert len(pipeline.fact(Samples).rows) <= size


def test_types_of_columns_in_the_words_of_arrow(subject):
    rows = [
        {"i": 1, "f": 1.5, "n": 1, "s": "a", "b": True, "l": [1, 2], "t": ("x",), "d": {"k": 1}},
        {"i": 2, "f": 2.5, "n": 0.5, "s": None, "b": False, "l": [], "t": ("y",), "x": None},
    ]
    types = subject(train_data=rows).fact(Columns).types
    assert types == {
        "i": "int64",
        "f": "double",
        "n": "double",
        "s": "string",
        "b": "bool",
        "l": "list<int64>",
        "t": "list<string>",
        "d": "struct",
        "x": "null",
    }


def test_what_reaches_the_model(subject):
    @probe(Model, Cost.MODEL, "model")
    def model(pipeline, split):
        return Model("net", {}, accepts=("input_ids", "labels"), label_names=("labels",))

    data = {"text": ["a"], "input_ids": [[1]], "label": [0]}
    pipeline = subject(train_data=data, model=object(), settings={})
    pipeline.probes = [*pipeline.probes, model]
    columns = pipeline.fact(Columns)
    assert columns.accepted == ("input_ids", "labels", "label", "label_ids")
    assert (columns.kept, columns.dropped) == (("input_ids", "label"), ("text",))
    kept = subject(train_data=data, settings={"remove_unused_columns": False}).fact(Columns)
    assert kept.kept == ("text", "input_ids", "label")


def test_without_a_model_or_settings_what_is_dropped_is_not_known(subject):
    data = {"text": ["a"]}
    for parts in ({}, {"settings": {}}):
        with pytest.raises(Unavailable):
            _ = subject(train_data=data, **parts).fact(Columns).dropped


def test_samples_are_the_first_batch_and_the_two_longest_rows(subject):
    data = {
        "input_ids": [[0] * n for n in (1, 2, 3, 9, 4, 8, 5)],
        "labels": [0, None, 1, 0, 1, 0, NAN],
        "text": ["a"] * 7,
    }
    settings = {"per_device_train_batch_size": 2, "per_device_eval_batch_size": 4}
    pipeline = subject(train_data=data, eval_data=data, settings=settings)
    found = pipeline.fact(Samples)
    assert found.rows == (0, 1, 3, 5)
    assert found.columns == ("input_ids", "labels", "text")
    assert found.lengths == {"input_ids": (1, 2, 9, 8)}
    assert found.missing == {"labels": (1,)}
    assert pipeline.fact(Samples, Split.EVAL).rows == (0, 1, 2, 3, 5)


def test_of_a_large_batch_the_first_rows_are_looked_at(subject):
    data = {"input_ids": [[0] * (70 - row) for row in range(64)] + [[0] * 99]}
    settings = {"per_device_train_batch_size": 64}
    found = subject(train_data=data, settings=settings).fact(Samples)
    assert found.rows == (*range(32), 64)


def test_without_settings_unused_columns_are_dropped_as_trainer_does(subject):
    assert subject(train_data={"a": [1]}).fact(Columns).filtered is True


def test_without_settings_a_batch_has_eight_rows(subject):
    assert subject(train_data={"a": list(range(20))}).fact(Samples).rows == tuple(range(8))
