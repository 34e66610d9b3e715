"""What is told of data of the package datasets, and that no row is touched for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import datasets
import pytest
from pipelines import pipeline, run, write_csv

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts import Columns, Labels, Rows, Samples
from pipedoctor.frameworks.loading import prepared
from pipedoctor.pipeline import ProbeFailed
from pipedoctor.targets.recipe import Recipe

Dataset = datasets.Dataset


@pytest.fixture
def counted_rows(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every key with which a row or a column is asked of a Dataset, by Python."""
    asked: list[Any] = []
    whole = Dataset.__getitem__

    def getitem(self: Any, key: Any) -> Any:
        if self.format["type"] != "arrow":  # that is Arrow's own table, which is no Python
            asked.append(key)
        return whole(self, key)

    def iterate(self: Any) -> Any:
        raise AssertionError("all rows are iterated over")

    monkeypatch.setattr(Dataset, "__getitem__", getitem)
    monkeypatch.setattr(Dataset, "__iter__", iterate)
    return asked


def test_labels_of_400_000_rows_are_counted_without_reading_one(counted_rows: list[Any]) -> None:
    many = 400_000
    data = Dataset.from_dict({"text": ["x"] * many, "label": [i % 7 for i in range(many)]})
    found = pipeline(train_data=data.shuffle(seed=1)).fact(Labels)
    assert sum(found.counts.values()) == found.rows == many
    assert len(found.texts) == 3 * 7
    assert counted_rows == []


def test_samples_of_400_000_rows_are_ten_rows(counted_rows: list[Any]) -> None:
    lengths = [2] * 400_000
    lengths[123_456], lengths[7] = 9, 8
    data = Dataset.from_dict({"input_ids": [[1] * n for n in lengths]})
    found = pipeline(train_data=data).fact(Samples)
    assert found.rows == (0, 1, 2, 3, 4, 5, 6, 7, 123_456)
    assert found.lengths["input_ids"] == (2, 2, 2, 2, 2, 2, 2, 8, 9)
    assert len(counted_rows) == len(found.rows)


def test_only_the_rows_that_are_looked_at_are_tokenised(
    model_folder: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = 20_000
    rows = [(f"text {i}", i % 3) for i in range(many)]
    train = write_csv(tmp_path / "t.csv", rows, "sentence", "label")
    made: list[int] = []
    original = prepared.Prepared._map

    def counted(self: Any, indices: Any) -> Any:
        made.append(len(indices))
        return original(self, indices)

    monkeypatch.setattr(prepared.Prepared, "_map", counted)
    recipe = Recipe("text-classification", model_folder, train_file=train)
    found = run(recipe, per_device_train_batch_size=16)
    for kind in (Rows, Columns, Labels, Samples):
        found.fact(kind)
    assert found.fact(Labels).counts == {0: 6667, 1: 6667, 2: 6666}
    assert sum(made) <= 16 + 2 + prepared.FIRST


def test_labels_of_a_config(
    reuters_csv: Callable[..., str], model_folder: str, texts: Any
) -> None:
    train = reuters_csv(rows=slice(None))
    found = run(Recipe("text-classification", model_folder, train_file=train)).fact(Labels)
    numbers = [number - 4 for _, number in texts]
    assert found.counts == {n: numbers.count(n) for n in range(8)}
    assert (found.kind, found.rows, found.distinct, found.missing) == ("int", 5485, 8, 0)
    assert (found.minimum, found.maximum, found.width) == (0, 7, None)
    assert found.where.file == train
    assert (found.column, found.where.column, found.where.split) == ("label", "label", "train")
    for value, rows in found.examples.items():
        assert rows == tuple(i for i, n in enumerate(numbers) if n == value)[:3]
        assert all(found.texts[row] == texts[row][0][:80] for row in rows)


def test_rows_and_columns_of_a_config(reuters_csv: Callable[..., str], model_folder: str) -> None:
    recipe = Recipe(
        "text-classification", model_folder, train_file=reuters_csv(), max_train_rows=50
    )
    found = run(recipe)
    assert found.fact(Rows).used == 50
    columns = found.fact(Columns)
    assert columns.types == {
        "sentence": "string",
        "label": "int64",
        "input_ids": "list<int32>",
        "token_type_ids": "list<int8>",
        "attention_mask": "list<int8>",
    }
    assert columns.kept == ("label", "input_ids", "token_type_ids", "attention_mask")
    assert columns.dropped == ("sentence",)
    assert columns.where.file == recipe.train_file


def test_columns_are_those_that_trainer_keeps(tiny: Callable[..., Any], tmp_path: Any) -> None:
    import transformers

    data = Dataset.from_dict({"input_ids": [[1, 2]], "text": ["a"], "label": [1], "idx": [0]})
    trainer = transformers.Trainer(
        tiny(), transformers.TrainingArguments(str(tmp_path)), train_dataset=data
    )
    found = pipeline(model=tiny(), train_data=data).fact(Columns)
    assert list(found.kept) == trainer._remove_unused_columns(data).column_names
    assert set(found.accepted) == set(trainer._signature_columns)
    everything = pipeline(
        model=tiny(), train_data=data, settings={"remove_unused_columns": False}
    ).fact(Columns)
    assert everything.filtered is False
    assert everything.kept == ("input_ids", "text", "label", "idx")


def test_what_the_model_accepts_is_not_known_without_it() -> None:
    found = pipeline(train_data=Dataset.from_dict({"a": [1]})).fact(Columns)
    assert found.types == {"a": "int64"}
    with pytest.raises(Unavailable):
        _ = found.kept


def test_names_of_classes() -> None:
    features = datasets.Features(label=datasets.ClassLabel(names=["no", "yes"]))
    data = Dataset.from_dict({"label": [1, 1, 0]}, features=features)
    found = pipeline(train_data=data).fact(Labels)
    assert found.names == {0: "no", 1: "yes"}
    assert found.counts == {0: 1, 1: 2}


@pytest.mark.parametrize(
    ("columns", "stated", "name"),
    [
        ({"label": [0], "labels": [1]}, None, "labels"),
        ({"label_ids": [0]}, None, "label_ids"),
        ({"label": [0], "start": [1]}, ["start"], "start"),
    ],
)
def test_which_column_holds_the_labels(columns: Any, stated: Any, name: str) -> None:
    data = Dataset.from_dict(columns)
    assert pipeline(train_data=data, settings={"label_names": stated}).fact(Labels).column == name


def test_without_labels_there_are_none() -> None:
    with pytest.raises(Unavailable, match="no column of labels; it has text, target"):
        pipeline(train_data=Dataset.from_dict({"text": ["a"], "target": [1]})).fact(Labels)


def test_several_labels_a_row() -> None:
    data = Dataset.from_dict({"text": ["a", "b"], "labels": [[0.0, 1.0, 1.0], [0.0, 0.0, 1.0]]})
    found = pipeline(train_data=data).fact(Labels)
    assert (found.kind, found.width, found.per_token) == ("float", 3, False)
    assert found.counts == {0.0: 3, 1.0: 3}


def test_labels_as_long_as_the_tokens_belong_to_them() -> None:
    data = Dataset.from_dict(
        {"input_ids": [[5, 6, 7], [5, 6]], "labels": [[-100, 1, -100], [0, 1]]}
    )
    found = pipeline(train_data=data).fact(Labels)
    assert (found.per_token, found.width) == (True, None)
    assert found.counts == {-100: 2, 0: 1, 1: 2}


def test_a_model_of_whole_rows_settles_whose_labels_they_are(tiny: Callable[..., Any]) -> None:
    data = Dataset.from_dict({"input_ids": [[5, 6, 7]] * 2, "labels": [[0, 1, 1], [0, 0, 1]]})
    assert pipeline(train_data=data).fact(Labels).per_token
    found = pipeline(train_data=data, model=tiny()).fact(Labels)
    assert (found.per_token, found.width) == (False, 3)


def test_lists_of_their_own_lengths() -> None:
    data = Dataset.from_dict({"text": ["a", "b"], "labels": [[4], [4, 5]]})
    found = pipeline(train_data=data).fact(Labels)
    assert (found.per_token, found.width) == (False, 0)


def test_samples_name_what_lacks() -> None:
    data = Dataset.from_dict({"input_ids": [[1], None, [1, 2]], "label": [0, 1, None]})
    found = pipeline(train_data=data).fact(Samples)
    assert found.missing == {"input_ids": (1,), "label": (2,)}
    assert found.lengths == {"input_ids": (1, 0, 2)}


def test_a_transform_is_applied_to_the_samples() -> None:
    data = Dataset.from_dict({"text": ["a", "bb"], "label": [0, 1]})
    data.set_transform(lambda rows: {"input_ids": [[1] * len(t) for t in rows["text"]]})
    found = pipeline(train_data=data, settings={"remove_unused_columns": False}).fact(Samples)
    assert found.columns == ("input_ids",)
    assert found.lengths == {"input_ids": (1, 2)}


def test_streaming_data_with_features_is_not_read_for_its_columns() -> None:
    def rows() -> Any:
        raise AssertionError("the stream was read")
        yield {}

    features = datasets.Features(label=datasets.Value("int64"))
    found = pipeline(train_data=datasets.IterableDataset.from_generator(rows, features=features))
    assert found.fact(Rows).used is None
    assert found.fact(Columns).types == {"label": "int64"}
    for kind in (Labels, Samples):
        with pytest.raises(ProbeFailed, match="the stream was read"):
            found.fact(kind)


def test_several_tables_are_not_one(tiny: Callable[..., Any]) -> None:
    data = datasets.DatasetDict(train=Dataset.from_dict({"label": [0]}))
    with pytest.raises(Unavailable):
        pipeline(train_data=data).fact(Labels)


def test_data_facts_cost_no_more_than_the_data(
    reuters_csv: Callable[..., str], model_folder: str
) -> None:
    found = run(Recipe("text-classification", model_folder, train_file=reuters_csv()))
    found.budget = Cost.DATA
    assert found.fact(Labels, Split.TRAIN).rows == 200
    assert not found.fact(Columns).known("accepted")
