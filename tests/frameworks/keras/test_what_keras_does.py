"""
What Keras does with the faults that are looked for: raises, goes on with a wrong loss, or NaN.

It differs by backend. The checks say what will happen in the user's run; this is where they have
it from. Keras 3.15, TensorFlow 2.21, torch 2.13, JAX 0.10, all on a CPU.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

BACKEND = os.environ["KERAS_BACKEND"]

pytestmark = pytest.mark.smoke


@dataclass
class Fit:
    """What came of a training."""

    losses: list[float]
    warned: str
    with_nan: list[bool]
    """Of each variable of the model."""

    @property
    def loss(self) -> float:
        return self.losses[-1]


@pytest.fixture(scope="module")
def keras() -> Any:
    return pytest.importorskip("keras")


@pytest.fixture(scope="module")
def numbers() -> Any:
    """64 rows of 4 numbers."""
    import numpy as np

    return np.random.default_rng(0).normal(size=(64, 4)).astype("float32")


@pytest.fixture(scope="module")
def labels() -> Any:
    """One of 0, 1, 2 for each row."""
    import numpy as np

    return np.random.default_rng(1).integers(0, 3, 64).astype("int32")


def dense(keras: Any, units: int, activation: str | None = None) -> Any:
    keras.utils.set_random_seed(0)
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((4,), name="x"),
            layers.Dense(8, activation="relu"),
            layers.Dense(units, activation=activation),
        ]
    )


def on_logits(keras: Any) -> Any:
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def fit(model: Any, x: Any, y: Any = None, loss: Any = None, **how: Any) -> Fit:
    import numpy as np

    model.compile("sgd", loss, jit_compile=how.pop("jit_compile", "auto"))
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        history = model.fit(x, y, batch_size=16, shuffle=False, verbose=0, **how).history
    weights = [bool(np.isnan(value).any()) for value in model.get_weights()]
    return Fit(history["loss"], "\n".join(str(w.message) for w in warned), weights)


def raised(*arguments: Any, **how: Any) -> str:
    """Return the error that a training ends with: its class and its text."""
    try:
        done = fit(*arguments, **how)
    except Exception as error:  # noqa: BLE001 # of each backend another one
        return f"{type(error).__name__}: {error}"
    pytest.fail(f"it trains: {done}")


def test_a_healthy_model_trains(keras: Any, numbers: Any, labels: Any) -> None:
    done = fit(dense(keras, 3), numbers, labels, on_logits(keras))
    assert 0.8 < done.loss < 1.6
    assert not any(done.with_nan)


@pytest.mark.parametrize("label", [2, -1])
def test_a_label_outside_the_outputs(keras: Any, numbers: Any, labels: Any, label: int) -> None:
    if label == 2:
        it = (dense(keras, 2), numbers, labels, on_logits(keras))
    else:
        it = (dense(keras, 3), numbers, labels - 1, on_logits(keras))
    if BACKEND == "tensorflow":
        said = raised(*it)
        assert said.startswith("InvalidArgumentError")
        assert f"Received a label value of {label} which is outside the valid range" in said
    elif BACKEND == "torch":
        assert raised(*it) == f"IndexError: Target {label} is out of bounds."
    else:  # such a label is no class for JAX, and its row counts for nothing
        done = fit(*it)
        assert 0 < done.loss < 1
        assert not any(done.with_nan)


@pytest.mark.skipif(BACKEND == "torch", reason="the next test is of torch")
def test_a_label_outside_the_outputs_of_a_compiled_step(
    keras: Any, numbers: Any, labels: Any
) -> None:
    done = fit(dense(keras, 2), numbers, labels, on_logits(keras), jit_compile=True)
    spoilt = BACKEND == "tensorflow"
    assert math.isnan(done.loss) is spoilt
    assert done.with_nan == [spoilt] * 4


@pytest.mark.deep  # inductor compiles for half a minute
@pytest.mark.skipif(BACKEND != "torch", reason="of torch alone")
@pytest.mark.skipif(shutil.which("g++") is None, reason="inductor needs a compiler of C++")
def test_a_label_outside_the_outputs_of_a_step_compiled_by_torch(
    keras: Any, numbers: Any, labels: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    said = raised(dense(keras, 2), numbers, labels, on_logits(keras), jit_compile=True)
    assert re.fullmatch(r"RuntimeError: kernel, .*, index out of bounds: 0 <= \w+ < 2L", said)


def test_a_step_is_not_compiled_by_itself_on_a_cpu_by_tensorflow(
    keras: Any, numbers: Any, labels: Any
) -> None:
    model = dense(keras, 3)
    fit(model, numbers, labels, on_logits(keras))
    assert model.jit_compile is (BACKEND == "jax")


def test_a_loss_by_its_name_takes_logits_for_probabilities(
    keras: Any, numbers: Any, labels: Any
) -> None:
    right = fit(dense(keras, 3), numbers, labels, on_logits(keras))
    wrong = fit(dense(keras, 3), numbers, labels, "sparse_categorical_crossentropy")
    assert wrong.loss > 2 * right.loss
    assert "logits" not in wrong.warned


def test_a_binary_loss_by_its_name_takes_logits_for_probabilities(
    keras: Any, numbers: Any, labels: Any
) -> None:
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    right = fit(dense(keras, 1), numbers, labels // 2, loss)
    wrong = fit(dense(keras, 1), numbers, labels // 2, "binary_crossentropy")
    assert wrong.loss > 1.5 * right.loss
    assert "logits" not in wrong.warned


def test_softmax_before_a_loss_on_logits(keras: Any, numbers: Any, labels: Any) -> None:
    right = fit(dense(keras, 3), numbers, labels, on_logits(keras))
    twice = fit(dense(keras, 3, "softmax"), numbers, labels, on_logits(keras))
    if BACKEND == "tensorflow":  # it finds the logits in the graph, and says so
        assert twice.loss == pytest.approx(right.loss, rel=1e-5)
        assert "received `from_logits=True`, but the `output` argument was produced by" in (
            twice.warned
        )
    else:
        assert twice.loss != pytest.approx(right.loss, rel=1e-3)
        assert "logits" not in twice.warned


def test_labels_among_the_inputs_of_a_functional_model(
    keras: Any, numbers: Any, labels: Any
) -> None:
    x = keras.Input((4,), name="x")
    model = keras.Model({"x": x}, keras.layers.Dense(3)(x))
    said = raised(model, {"x": numbers, "labels": labels}, None, on_logits(keras))
    assert said.startswith("ValueError")
    assert re.search(r"Invalid input shape for input .* with name 'x'", said)


def subclassed(keras: Any) -> Any:
    class Classifier(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.head = keras.layers.Dense(3)

        def call(self, inputs: Any) -> Any:
            return self.head(inputs["x"])

    return Classifier()


def test_labels_among_the_inputs_of_a_subclassed_model_with_a_loss(
    keras: Any, numbers: Any, labels: Any
) -> None:
    said = raised(
        subclassed(keras),
        {"x": numbers, "labels": labels},
        None,
        "sparse_categorical_crossentropy",
    )
    assert (
        said
        == {
            "tensorflow": "ValueError: None values not supported.",
            "torch": "ValueError: Invalid dtype: object",
            "jax": "ValueError: None is not a valid value for jnp.array",
        }[BACKEND]
    )


def test_labels_among_the_inputs_of_a_subclassed_model_without_a_loss(
    keras: Any, numbers: Any, labels: Any
) -> None:
    it = (subclassed(keras), {"x": numbers, "labels": labels})
    if BACKEND == "jax":
        assert fit(*it, epochs=2).losses == [0.0, 0.0]
    else:
        assert raised(*it).startswith("ValueError: No loss to compute. Provide a `loss` argument")


def test_classes_as_numbers_for_a_loss_of_one_hot_rows(
    keras: Any, numbers: Any, labels: Any
) -> None:
    said = raised(dense(keras, 3), numbers, labels, "categorical_crossentropy")
    same = "the same rank (ndim)" if BACKEND == "tensorflow" else "the same shape"
    assert said.startswith(f"ValueError: Arguments `target` and `output` must have {same}.")


def test_a_nan_among_the_inputs(keras: Any, numbers: Any, labels: Any) -> None:
    spoilt = numbers.copy()
    spoilt[5, 1] = float("nan")
    stop = keras.callbacks.TerminateOnNaN()
    done = fit(dense(keras, 3), spoilt, labels, on_logits(keras), epochs=2, callbacks=[stop])
    assert done.with_nan[0]
    if BACKEND == "tensorflow":  # its relu makes 0 of NaN: no loss shows it, nothing stops
        assert [math.isnan(loss) for loss in done.losses] == [False, False]
        assert done.with_nan == [True, False, False, False]
    else:
        assert [math.isnan(loss) for loss in done.losses] == [True]
        assert done.with_nan[2:] == [True, True]


def test_rows_and_labels_that_differ_in_number(keras: Any, numbers: Any, labels: Any) -> None:
    said = raised(dense(keras, 3), numbers[:60], labels, on_logits(keras))
    assert said.startswith("ValueError: Data cardinality is ambiguous.")
    assert "'x' sizes: 60" in said
    assert "'y' sizes: 64" in said


def test_a_model_that_is_not_compiled(keras: Any, numbers: Any, labels: Any) -> None:
    with pytest.raises(
        ValueError, match=r"^You must call `compile\(\)` before using the model\.$"
    ):
        dense(keras, 3).fit(numbers, labels, verbose=0)


def test_a_model_of_which_nothing_trains(keras: Any, numbers: Any, labels: Any) -> None:
    import numpy as np

    model = dense(keras, 3)
    model.trainable = False
    before = [value.copy() for value in model.get_weights()]
    done = fit(model, numbers, labels, on_logits(keras), epochs=2)
    assert all(map(np.array_equal, before, model.get_weights()))
    told = "does not have any trainable weights" in done.warned
    assert told is (BACKEND != "jax")


def test_a_frozen_batch_normalization_answers_alike_in_training(keras: Any, numbers: Any) -> None:
    import numpy as np

    norm = keras.layers.BatchNormalization(trainable=False)
    answers = [norm(numbers, training=mode) for mode in (True, False)]
    one, other = (keras.ops.convert_to_numpy(answer) for answer in answers)
    assert np.array_equal(one, other)
    assert not keras.ops.convert_to_numpy(norm.moving_mean).any()


@pytest.mark.parametrize("name", [
    "adam", "adamw", "rmsprop", "adagrad", "adadelta", "adafactor", "lion", "nadam", "ftrl",
])  # fmt: skip
def test_the_rate_of_an_optimizer_by_its_name(keras: Any, name: str) -> None:
    assert float(keras.optimizers.get(name).learning_rate) == pytest.approx(1e-3)


def test_what_else_an_optimizer_by_its_name_is(keras: Any) -> None:
    get = keras.optimizers.get
    assert float(get("sgd").learning_rate) == pytest.approx(1e-2)
    assert get("adamw").weight_decay == 0.004
    assert get("adam").weight_decay is None
    assert get("adam").epsilon == 1e-7
