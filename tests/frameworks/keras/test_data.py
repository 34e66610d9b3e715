"""Every kind of data that fit takes is read, and nothing of it is lost to the user."""

from __future__ import annotations

import math
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from keras_fits import BACKEND, compiled, functional, keras, pipeline, rows, sequential

from pipedoctor import Split, Unavailable
from pipedoctor.facts import Batch, Fit, Forward, Gradients, Inputs, Labels, Rows, Schedule
from pipedoctor.frameworks.fitting.fed import Replay
from pipedoctor.pipeline import ProbeFailed

tensorflow = pytest.mark.skipif(find_spec("tensorflow") is None, reason="needs tensorflow")


def dataset(count: int = 100, size: int = 10) -> Any:
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices(rows(count)).batch(size)


class Pieces(keras.utils.PyDataset):
    def __init__(self, count: int = 40, size: int = 8) -> None:
        super().__init__()
        self.x, self.y = rows(count)
        self.size, self.read = size, []

    def __len__(self) -> int:
        return math.ceil(len(self.x) / self.size)

    def __getitem__(self, place: int) -> Any:
        self.read.append(place)
        cut = slice(place * self.size, (place + 1) * self.size)
        return self.x[cut], self.y[cut]


def pieces(count: int, taken: list[int] | None = None) -> Iterator[Any]:
    for place in range(count):
        if taken is not None:
            taken.append(place)
        yield rows(8, seed=place)


@tensorflow
def test_a_tf_dataset_tells_its_batches_and_labels() -> None:
    made = pipeline(sequential(), x=dataset(), epochs=2)
    fit = made.fact(Fit)
    assert (fit.data, fit.batches, fit.batch_size, fit.steps) == ("tf.data.Dataset", 10, 10, 10)
    assert not fit.known("rows")
    assert fit.shuffle is False
    assert made.fact(Labels).counts == {0: 34, 1: 33, 2: 33}
    assert made.fact(Inputs).part == "all 100 rows"
    assert made.fact(Schedule).total_steps == 20
    assert made.fact(Gradients).loss > 0


@tensorflow
def test_an_endless_dataset_has_steps_only_if_they_are_stated() -> None:
    fit = pipeline(sequential(), x=dataset().repeat()).fact(Fit)
    assert fit.infinite
    assert not fit.known("steps")
    fit = pipeline(sequential(), x=dataset().repeat(), steps_per_epoch=7).fact(Fit)
    assert fit.steps == 7


@tensorflow
def test_batches_of_unknown_number_are_counted_by_reading_them() -> None:
    data = dataset().filter(lambda x, y: True)
    made = pipeline(sequential(), x=data)
    assert made.fact(Fit).batches == 10


@tensorflow
def test_rows_of_a_tf_dataset_come_in_the_order_they_would_have_had() -> None:
    import tensorflow as tf

    orders = []
    for look in (False, True):
        tf.random.set_seed(1)
        data = tf.data.Dataset.range(20).shuffle(20, seed=5)
        data = data.map(lambda n: (tf.fill((8,), tf.cast(n, tf.float32)), n % 3)).batch(4)
        if look:
            pipeline(sequential(), x=data).fact(Labels)
        orders.append([np.array(x)[:, 0].tolist() for x, _ in data])
    assert orders[0] == orders[1]


@tensorflow
def test_a_cache_file_of_a_tf_dataset_is_not_written(tmp_path: Any) -> None:
    data = dataset().cache(str(tmp_path / "cached"))
    assert pipeline(sequential(), x=data).fact(Labels).rows == 100
    assert list(tmp_path.iterdir()) == []


@tensorflow
def test_a_dataset_of_mappings_feeds_several_inputs() -> None:
    import tensorflow as tf

    x, y = rows(32)
    inputs = {"one": x, "other": x[:, :4]}
    data = tf.data.Dataset.from_tensor_slices((inputs, {"kind": y, "size": x[:, 0]})).batch(8)
    made = pipeline(functional(), x=data)
    assert [one.name for one in made.fact(Inputs).inputs] == ["one", "other"]
    assert {"one", "other", "labels/kind", "labels/size"} <= made.fact(Batch).arrays.keys()
    with pytest.raises(Unavailable, match="several arrays of labels"):
        made.fact(Labels)


@tensorflow
def test_validation_data_as_a_dataset_is_a_split_of_its_own() -> None:
    x, y = rows(50)
    made = pipeline(sequential(), x=x, y=y, validation_data=dataset(20, 5))
    fit = made.fact(Fit)
    assert (fit.validation, fit.validation_batches) == ("tf.data.Dataset", 4)
    assert made.fact(Labels, Split.EVAL).rows == 20


def test_a_py_dataset_is_read_by_its_numbers() -> None:
    data = Pieces()
    made = pipeline(sequential(), x=data)
    fit = made.fact(Fit)
    assert (fit.data, fit.batches, fit.batch_size, fit.steps) == ("PyDataset", 5, 8, 5)
    assert made.fact(Labels).rows == 40
    assert made.fact(Forward).loss > 0
    assert set(data.read) == {0, 1, 2, 3, 4}


def test_a_generator_is_left_to_fit() -> None:
    taken: list[int] = []
    made = pipeline(sequential(), x=pieces(3, taken), steps_per_epoch=3)
    assert not made.fact(Fit).reread
    for fact in (Labels, Inputs, Forward):
        with pytest.raises(Unavailable, match="read only once"):
            made.fact(fact)
    assert taken == []


def test_what_is_read_ahead_of_a_generator_comes_again() -> None:
    replay = Replay(pieces(4))
    ahead = replay.ahead(2)
    again = list(replay.generator())
    assert len(again) == 4
    assert all(one is other for one, other in zip(ahead, again, strict=False))


@pytest.mark.parametrize(
    "wrong", [[np.zeros((2, 8)), np.zeros(2)], {"x": 1}], ids=["list", "dict"]
)
def test_a_generator_of_something_else_than_tuples_is_refused_as_fit_does(wrong: Any) -> None:
    made = pipeline(sequential(), x=iter([wrong]))
    made.parts["train_data"].replay = Replay(iter([wrong]))
    with pytest.raises(ProbeFailed, match="generators that yield tuples"):
        made.fact(Labels)


def test_a_loader_of_torch_is_read_by_index() -> None:
    torch = pytest.importorskip("torch")
    x, y = rows(50)
    held = torch.utils.data.TensorDataset(torch.tensor(x), torch.tensor(y))
    data = torch.utils.data.DataLoader(held, batch_size=10, shuffle=True)
    before = torch.get_rng_state()
    made = pipeline(sequential(), x=data)
    assert (made.fact(Fit).batches, made.fact(Fit).data) == (5, "DataLoader")
    assert made.fact(Labels).rows == 50
    assert made.fact(Rows).used == 50
    assert (torch.get_rng_state() == before).all()


def test_weights_of_rows_are_noticed() -> None:
    x, y = rows(40)
    weighted = pipeline(sequential(), x=x, y=y, sample_weight=np.full(40, 2.0, "float32"))
    assert weighted.fact(Fit).sample_weight
    assert "sample_weight" in weighted.fact(Batch).arrays
    plain = pipeline(sequential(), x=x, y=y)
    assert weighted.fact(Forward).loss > 0
    assert not plain.fact(Fit).sample_weight


def test_a_frame_of_pandas_is_read() -> None:
    pandas = pytest.importorskip("pandas")
    x, y = rows(40)
    frame = pandas.DataFrame(x, columns=[f"f{n}" for n in range(8)])
    made = pipeline(sequential(), x=frame, y=pandas.Series(y))
    assert made.fact(Rows).used == 40
    assert made.fact(Labels).counts == {0: 14, 1: 13, 2: 13}
    assert made.fact(Forward).loss > 0


def test_the_first_argument_may_be_a_pair_of_arrays() -> None:
    made = pipeline(sequential(), train_data=rows(30))
    assert made.fact(Rows).used == 30
    assert made.fact(Labels).rows == 30


def test_of_large_data_the_first_rows_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipedoctor.frameworks.fitting import scanning

    monkeypatch.setattr(scanning, "SECONDS", 0.0)
    monkeypatch.setattr(scanning, "CHUNK", 80)
    x, y = rows(100)
    made = pipeline(sequential(), x=x, y=y)
    told, labels = made.fact(Inputs), made.fact(Labels)
    assert (told.rows, told.complete, told.part) == (10, False, "the first 10 rows")
    assert (labels.partial, labels.of, labels.rows) == (True, 100, 10)
    with pytest.raises(Unavailable, match="the first 10 rows were read"):
        _ = labels.counts


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"x": rows(10)[0], "y": rows(9)[1]}, "ardinality|same number"),
        ({"x": [1.0, 2.0], "y": [0, 1]}, "Unrecognized data type"),
        ({"x": np.array([["a"] * 8] * 4), "y": np.array([0, 1, 0, 1])}, "."),
    ],
    ids=["lengths", "lists", "texts"],
)
def test_bad_arrays_raise_what_fit_would(words: dict[str, Any], said: str) -> None:
    with pytest.raises(ProbeFailed, match=said):
        pipeline(sequential(), **words).fact(Forward)


def test_no_rows_at_all_are_counted() -> None:
    made = pipeline(sequential(), x=np.zeros((0, 8), "float32"), y=np.zeros((0,), "int64"))
    assert made.fact(Rows).used == 0
    with pytest.raises(Unavailable, match="has no batch"):
        made.fact(Forward)


@tensorflow
@pytest.mark.skipif(BACKEND != "tensorflow", reason="only tensorflow has ragged tensors")
def test_ragged_rows_are_read_and_their_lengths_left_open() -> None:
    import tensorflow as tf

    words = tf.ragged.constant([[1, 2], [3], [4, 5, 6], [7]] * 4)
    layers = [
        keras.Input((None,), dtype="int32", ragged=True),
        keras.layers.Lambda(lambda held: tf.reduce_sum(tf.cast(held.to_tensor(), "float32"), 1)),
    ]
    made = pipeline(compiled(keras.Sequential(layers), loss="mse"), x=words, y=np.zeros(16))
    assert made.fact(Rows).used == 16
    assert made.fact(Labels).rows == 16
    assert made.fact(Forward).loss > 0


@tensorflow
def test_an_empty_dataset_has_no_rows() -> None:
    made = pipeline(sequential(), x=dataset().take(0))
    assert made.fact(Rows).used == 0
    with pytest.raises(Unavailable, match="has no batch"):
        made.fact(Forward)


def test_a_py_dataset_that_raises_is_told_as_the_users_own() -> None:
    class Broken(Pieces):
        def __getitem__(self, place: int) -> Any:
            raise KeyError("image_17.png")

    with pytest.raises(ProbeFailed, match="image_17"):
        pipeline(sequential(), x=Broken()).fact(Labels)


def test_no_data_at_all_is_said() -> None:
    made = pipeline(sequential())
    with pytest.raises(Unavailable, match="no train data was given"):
        made.fact(Fit)
    with pytest.raises(Unavailable, match="no train data was given"):
        made.fact(Forward)
