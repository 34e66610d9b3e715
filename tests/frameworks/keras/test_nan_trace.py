"""nan-trace for models of Keras: what is not in a layer, what is no fault, and what is left behind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from keras_fits import keras, pipeline, rows, sequential
from keras_nan import FEATURES, GUILTY, ROWS, data, fine, log, model, ops, safe, traced
from keras_states import random_state, states

from pipedoctor.facts import Trace


def many(count: int = 4) -> tuple[Any, Any]:
    """Return batches of which only the last one holds guilty rows."""
    x, y = data()
    good = x * (x[:, :1] == 0)
    return np.concatenate([good] * (count - 1) + [x]), np.concatenate([y] * count)


def test_a_value_in_the_data_is_told_with_its_rows() -> None:
    x, y = data()
    x[list(GUILTY), 2] = np.nan
    trace = traced(model("sequential"), x=x, y=y)
    assert trace.origin is not None
    assert (trace.origin.when, trace.origin.name, trace.rows) == ("data", "x", GUILTY)
    assert "numpy.isfinite" in trace.origin.cure


def test_a_value_in_the_labels_is_told_as_one() -> None:
    x, y = data()
    y[list(GUILTY)] = np.inf
    trace = traced(model("functional"), x=x, y=y)
    assert trace.root is not None
    assert trace.causes or trace.origin
    first = trace.causes[0] if trace.causes else trace.origin
    assert first is not None
    assert (first.when, first.name) == ("data", "y")
    assert trace.rows == GUILTY


def test_a_value_in_the_weights_is_told_with_its_variable() -> None:
    x, y = data()
    made = model("sequential")
    made.layers[-1].kernel.assign(np.full((FEATURES, 1), np.nan))
    trace = traced(made, x=x, y=y)
    assert trace.origin is not None
    assert trace.origin.when == "weights"
    assert trace.origin.name.endswith("last/kernel")
    assert trace.rows == ()


def test_a_weight_of_a_sample_is_looked_at_too() -> None:
    x, y = data()
    weight = np.ones(ROWS)
    weight[list(GUILTY)] = np.nan
    trace = traced(model("subclassed"), x=x, y=y, sample_weight=weight)
    assert trace.origin is not None
    assert (trace.origin.when, trace.origin.name) == ("data", "sample_weight")


def test_weights_of_classes_take_part() -> None:
    x, _ = data()
    y = (x[:, 0] > 0).astype("float32")
    made = model("sequential", fine, loss="mse")
    assert traced(made, x=x, y=y, class_weight={0: 1.0, 1: 2.0}).finite
    trace = traced(made, x=x, y=y, class_weight={0: 1.0, 1: float("inf")})
    assert trace.origin is not None
    assert trace.rows == GUILTY


def test_the_optimizer_is_found_out() -> None:
    x, y = data()
    adam = keras.optimizers.Adam(epsilon=0.0)
    trace = traced(
        model("sequential", lambda x: x * 0.0, optimizer=adam), x=x, y=y, trace={"steps": 3}
    )
    assert trace.origin is not None
    assert (trace.origin.when, trace.step) == ("optimizer", 1)
    assert trace.origin.family == "optimizer-divides-by-zero"
    assert trace.origin.name


@pytest.mark.tensorflow
def test_a_label_that_is_no_class_is_told_though_tensorflow_refuses_it() -> None:
    x, _ = data()
    y = np.zeros(ROWS, int)
    y[list(GUILTY)] = 5
    made = keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    made.compile("adam", loss, jit_compile=True)
    trace = traced(made, x=x, y=y)
    assert trace.origin is not None
    assert trace.origin.family == "label-out-of-range"
    assert trace.rows == GUILTY
    assert "6 units" in trace.origin.cure


def test_half_precision_that_overflows_is_told() -> None:
    x, y = data()
    trace = traced(halved(lambda x: x * (1.0 - safe(x)) * 6e4 * 10.0), x=x, y=y)
    assert trace.root is not None
    assert trace.root.family == "float16-overflows"
    assert trace.rows == GUILTY


def halved(fault: Any) -> Any:
    policy = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy("mixed_float16")
    try:
        return model("sequential", fault)
    finally:
        keras.mixed_precision.set_dtype_policy(policy)


def test_updates_that_the_scaler_of_the_loss_leaves_out_are_no_fault() -> None:
    x, y = data()
    made = halved(fine)
    made.compile(
        keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(), initial_scale=2.0**60), "mse"
    )
    assert traced(made, x=x, y=y, trace={"steps": 2}).finite


def test_masks_and_what_is_thrown_away_are_no_faults() -> None:
    def attention(x: Any) -> Any:
        scores = ops.where(x > 0.7, x, -float("inf"))
        scores = ops.concatenate([scores, x], axis=-1)
        ratio = ops.where(safe(x) > 0, ops.stop_gradient(1.0 / safe(x)), 1.0)
        return ops.softmax(scores) * ratio + x[:, 1:2]

    x, y = data()
    assert traced(model("sequential", attention), x=x, y=y, trace={"steps": 2}).finite


def test_batches_are_gone_through_until_one_is_bad() -> None:
    x, y = many()
    made = model("subclassed", log)
    assert traced(made, x=x, y=y, trace={"batches": 3}).finite
    trace = traced(made, x=x, y=y, trace={"batches": "all"})
    assert trace.batch == 3
    assert trace.rows == tuple(3 * ROWS + row for row in GUILTY)
    assert trace.shows[0].startswith(f"row {3 * ROWS + GUILTY[0]}: x = [1.0, ")


def test_all_that_was_gone_through_is_counted() -> None:
    x, y = many()
    trace = traced(model("sequential"), x=x, y=y, trace={"batches": "all"})
    assert (trace.finite, trace.batches, trace.complete) == (True, 4, True)
    trace = traced(model("sequential"), x=x, y=y, trace={"steps": 6})
    assert (trace.finite, trace.steps, trace.complete) == (True, 6, False)


def test_training_goes_on_until_a_step_is_bad() -> None:
    trace = traced(model("functional", log), x=many()[0], y=many()[1], trace={"steps": 20})
    assert (trace.step, trace.batch) == (4, 3)
    assert trace.rows == tuple(3 * ROWS + row for row in GUILTY)


def test_a_training_that_diverges_is_called_so() -> None:
    x, y = data()
    made = model("sequential", optimizer=keras.optimizers.SGD(1e4))
    trace = traced(made, x=x, y=y, trace={"steps": 60})
    assert not trace.finite
    assert trace.step is not None
    assert trace.step > 2
    assert any("had diverged before" in note for note in trace.notes)


@pytest.mark.parametrize("trace", [{"batches": 1}, {"batches": "all"}, {"steps": 5}], ids=str)
def test_every_variable_and_random_state_stays(trace: dict[str, Any]) -> None:
    x, y = rows()
    x[60:, 0] = np.nan
    for trained in (False, True):
        made = sequential()
        if trained:
            made.fit(*rows(), verbose=0)
        before, chance, built = states(made), random_state(), made.optimizer.built
        assert not pipeline(made, trace=trace, x=x, y=y).fact(Trace).finite or trace == {
            "batches": 1
        }
        assert states(made) == before
        assert random_state() == chance
        assert made.optimizer.built is built


def test_nothing_was_asked_for_and_nothing_is_wrong() -> None:
    x, y = rows()
    trace = pipeline(sequential(), x=x, y=y).fact(Trace)
    assert trace.finite
    assert trace.batches == 1
