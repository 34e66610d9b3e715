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
from pipedoctor.facts import (
    Batch,
    Features,
    Fit,
    Forward,
    Gradients,
    Inputs,
    Labels,
    Rows,
    Schedule,
)
from pipedoctor.frameworks.fitting import scanning
from pipedoctor.frameworks.fitting.capture import fitted, replayed
from pipedoctor.frameworks.fitting.drawing import at_rows
from pipedoctor.frameworks.fitting.fed import Fed, Replay
from pipedoctor.frameworks.fitting.library import of_model
from pipedoctor.frameworks.fitting.scanning import Scan
from pipedoctor.frameworks.fitting.telling import targets
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
    given = (one for one in [wrong])
    made = pipeline(sequential(), x=given)
    made.parts["train_data"].replay = Replay(given)
    with pytest.raises(ProbeFailed, match="generators that yield tuples"):
        made.fact(Labels)


def test_of_a_generator_the_rows_read_ahead_are_never_all() -> None:
    given = pieces(3)
    made = pipeline(sequential(), x=given, steps_per_epoch=3)
    made.parts["train_data"].replay = Replay(given)
    told, labels = made.fact(Inputs), made.fact(Labels)
    assert (told.complete, told.part) == (False, "the first 8 rows")
    assert (labels.partial, labels.of, labels.rows) == (True, None, 8)
    assert not made.fact(Fit).known("batches")


def test_an_iterator_that_is_no_generator_is_refused_as_fit_does_and_not_replaced() -> None:
    given = iter([rows(8)])
    parts = fitted(sequential(), {"x": given})
    assert replayed(parts) == {}
    with pytest.raises(ProbeFailed, match="x is a list_iterator: of iterators fit takes gen"):
        pipeline(sequential(), x=given).fact(Forward)
    assert len(list(given)) == 1


def test_one_generator_as_both_data_stays_one() -> None:
    given = pieces(4)
    parts = fitted(sequential(), {"x": given, "validation_data": given})
    instead = replayed(parts)
    assert instead["x"] is instead["validation_data"]
    assert parts["eval_data"].replay is None
    parts["train_data"].replay.ahead(1)
    assert len(list(instead["x"])) == 4


def test_parts_that_are_given_stay_as_they_are() -> None:
    rest = {"call": {"epochs": 2}, "train_data": rows(8)}
    assert fitted(sequential(), {}, rest)["call"] == {"epochs": 2}
    assert {*rest} == {"call", "train_data"}


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


class Itself:
    """Rows that are given once: the data is its own iterator."""

    def __init__(self, count: int) -> None:
        self.left = list(zip(*rows(count), strict=True))

    def __iter__(self) -> Itself:
        return self

    def __next__(self) -> Any:
        if not self.left:
            raise StopIteration
        return self.left.pop(0)


class Anew(Itself):
    """Rows that are given again in each epoch."""

    def __iter__(self) -> Any:
        return iter(self.left)


def stream(kind: type[Itself], count: int = 50) -> Any:
    torch = pytest.importorskip("torch")

    class Stream(kind, torch.utils.data.IterableDataset):  # type: ignore[misc, valid-type]  # a class that is only known here
        pass

    return Stream(count)


def test_a_stream_that_is_its_own_iterator_is_left_to_fit() -> None:
    torch = pytest.importorskip("torch")
    given = stream(Itself)
    made = pipeline(sequential(), x=torch.utils.data.DataLoader(given, batch_size=10))
    with pytest.raises(Unavailable, match="read only once"):
        made.fact(Labels)
    assert len(given.left) == 50


def test_of_a_stream_neither_rows_nor_the_generator_of_its_loader_move() -> None:
    torch = pytest.importorskip("torch")
    chance = torch.Generator().manual_seed(5)
    for given in (stream(Anew), list(zip(*rows(50), strict=True))):
        shuffled = {"shuffle": True} if isinstance(given, list) else {}
        data = torch.utils.data.DataLoader(given, batch_size=10, generator=chance, **shuffled)
        before = chance.get_state()
        assert pipeline(sequential(), x=data).fact(Labels).rows == 50
        assert (chance.get_state() == before).all()


def test_a_batch_sampler_of_the_users_own_takes_no_notice() -> None:
    torch = pytest.importorskip("torch")
    chance = torch.Generator().manual_seed(5)
    given = list(zip(*rows(50), strict=True))
    inner = torch.utils.data.RandomSampler(given, generator=chance)
    chosen = torch.utils.data.BatchSampler(inner, 10, drop_last=False)
    before = chance.get_state()
    made = pipeline(sequential(), x=torch.utils.data.DataLoader(given, batch_sampler=chosen))
    assert made.fact(Labels).rows == 50
    assert (chance.get_state() == before).all()


def test_a_loader_may_leave_the_batches_to_its_data() -> None:
    torch = pytest.importorskip("torch")
    given = [tuple(map(torch.tensor, rows(8, seed=place))) for place in range(3)]
    made = pipeline(sequential(), x=torch.utils.data.DataLoader(given, batch_size=None))
    fit = made.fact(Fit)
    assert (fit.batches, fit.batch_size, fit.known("rows")) == (3, 8, False)
    assert made.fact(Labels).rows == 24
    assert made.fact(Forward).loss > 0


@tensorflow
def test_a_dataset_that_cannot_be_copied_is_left_to_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow as tf

    def refused(**_: Any) -> Any:
        raise tf.errors.FailedPreconditionError(None, None, "no")

    monkeypatch.setattr(tf.raw_ops, "DatasetToGraphV2", refused)
    with pytest.raises(Unavailable, match="can't be copied, and is left to fit"):
        pipeline(sequential(), x=dataset()).fact(Labels)


def test_chosen_rows_are_weighted_as_in_fit_and_those_of_the_validation_are_not() -> None:
    x, y = rows(40)
    words = {"class_weight": {0: 1.0, 1: 2.0, 2: 5.0}, "validation_split": 0.25}
    made = pipeline(sequential(), x=x, y=y, **words)
    for split, weights in (("train_data", [1.0, 2.0, 5.0]), ("eval_data", None)):
        data = made.parts[split]
        wanted = y[data.start : data.start + data.rows]
        places = tuple(int(np.flatnonzero(wanted == kind)[0]) for kind in range(3))
        batch = at_rows(data, places)
        found = batch.sample_weight
        assert (None if found is None else np.array(found).tolist()) == weights
        assert np.array(batch.y).tolist() == [0, 1, 2]


def test_the_clock_does_not_run_while_the_first_batch_is_fetched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr(scanning.time, "perf_counter", lambda: now[0])

    class Slow(Pieces):
        def __getitem__(self, place: int) -> Any:
            now[0] += 0.0 if self.read else 60.0
            return super().__getitem__(place)

    assert pipeline(sequential(), x=Slow()).fact(Inputs).complete


def test_inputs_tell_whether_they_are_whole_and_which_rows_are_no_numbers() -> None:
    x, y = rows(40)
    x[[3, 7], 2], x[7, 5] = np.nan, np.inf
    made = pipeline(sequential(), x=x, y=y)
    features = made.fact(Features)
    assert (features.rows, features.of) == (40, None)
    assert features.of_name["features"].not_finite == 2
    assert features.of_name["features"].first_bad == (3, 7)
    assert not made.fact(Inputs).inputs[0].whole
    with pytest.raises(Unavailable, match="no array of floats"):
        pipeline(sequential(), x=np.ones((40, 8), "int64"), y=y).fact(Features)
    floats = pipeline(sequential(), x=np.ones((40, 8), "float32"), y=y)
    assert floats.fact(Inputs).inputs[0].whole


@pytest.mark.parametrize(
    ("made", "classes"),
    [
        (lambda y: y, 3),
        (lambda y: y.reshape(-1, 1), 3),
        (lambda y: np.eye(5, dtype="float32")[y], 3),
        (lambda y: np.eye(5, dtype="float32")[y * 0], 1),
        (lambda y: y.astype("float32") + 0.5, None),
        (lambda y: np.ones((len(y), 2)), None),
    ],
    ids=["numbers", "a column", "one-hot", "one class", "floats", "multi-hot"],
)
def test_classes_that_occur_are_counted(made: Any, classes: int | None) -> None:
    x, y = rows(40)
    scan = pipeline(sequential(), x=x, y=made(y)).fact(Scan)
    assert targets(scan.labels[0], scan).classes == classes


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
        ({"x": [1.0, 2.0], "y": [0, 1]}, "x is a list that holds 2 objects of .* type float"),
        ({"x": rows(10)[0], "y": [0, 1] * 5}, "y is a list that holds 10 objects of .* type int"),
        ({"x": np.array([["a"] * 8] * 4), "y": np.array([0, 1, 0, 1])}, "."),
        ({"x": {"a": object()}}, "x is a dict, which fit does not take"),
        ({"x": rows(4)[0], "y": np.array(["a", "b"] * 2)}, "y is an array of texts"),
        ({"x": np.array([[1], [1, 2]], dtype=object), "y": np.arange(2)}, "of Python objects"),
    ],
    ids=["lengths", "lists", "list", "texts", "mapping", "names", "unequal"],
)
def test_bad_arrays_raise_what_fit_would(words: dict[str, Any], said: str) -> None:
    with pytest.raises(ProbeFailed, match=said):
        pipeline(sequential(), **words).fact(Forward)


def of_batches(*batches: Any) -> Any:
    yield from batches


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (of_batches, "the train data, a generator, yields no batch: fit raises"),
        (lambda: of_batches((*rows(4), None, None)), "a batch is a tuple of 4 things, and fit"),
        (lambda: of_batches([*rows(4)]), "fit takes generators that yield tuples"),
        (lambda: of_batches("a"), "fit takes generators that yield tuples"),
        (lambda: (1 // 0 for _ in "a"), "ZeroDivisionError"),
    ],
    ids=["empty", "four", "list", "text", "raises"],
)
def test_generators_that_yield_what_fit_does_not_take(data: Any, said: str) -> None:
    parts = fitted(sequential(), {"x": data()})
    replayed(parts)
    with pytest.raises(ProbeFailed, match=said):
        pipeline(sequential(), **{k: v for k, v in parts.items() if k != "model"}).fact(Forward)


def test_a_fit_without_data_says_so() -> None:
    nothing = Fed(of_model(sequential()), None)
    with pytest.raises(ProbeFailed, match="fit is given no data: x is None") as failed:
        pipeline(sequential(), train_data=nothing).fact(Forward)
    assert vars(failed.value.__cause__)["remedy"] == "fit(x, y)"


def test_a_data_set_that_a_filter_empties() -> None:
    tf = pytest.importorskip("tensorflow", reason="tf.data is TensorFlow's")
    data = tf.data.Dataset.from_tensor_slices(rows(8)).batch(4).filter(lambda *_words: False)
    with pytest.raises(ProbeFailed, match="FilterDataset, yields no batch: fit trains on nothing"):
        pipeline(sequential(), x=data).fact(Forward)
    made = pipeline(sequential(), x=rows(8)[0], y=rows(8)[1], validation_data=data)
    assert made.fact(Forward).loss > 0


def test_data_of_hugging_face() -> None:
    datasets = pytest.importorskip("datasets")
    x, y = rows(20)
    table = datasets.Dataset.from_dict({"f": x.tolist(), "label": y.tolist()})
    with pytest.raises(ProbeFailed, match="x is a Dataset of datasets") as failed:
        pipeline(sequential(), x=table).fact(Forward)
    assert 'x.to_tf_dataset(columns=["…"]' in vars(failed.value.__cause__)["remedy"]
    pytest.importorskip("tensorflow", reason="tf.data is TensorFlow's")
    made = pipeline(
        sequential(), x=table.to_tf_dataset(columns="f", label_cols="label", batch_size=8)
    )
    assert made.fact(Fit).batches == 3
    assert made.fact(Forward).loss > 0


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
