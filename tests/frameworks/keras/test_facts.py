"""What a call of fit tells as facts, whatever the model is put together of."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from keras_fits import Subclassed, compiled, functional, keras, pipeline, rows, sequential

from pipedoctor import Split, Unavailable
from pipedoctor.facts import (
    Batch,
    Compiled,
    Fit,
    Forward,
    Gradients,
    Inputs,
    Labels,
    Layers,
    LearningRate,
    Model,
    Optimizer,
    Outputs,
    Rows,
    Schedule,
)
from pipedoctor.facts.outputs import GRAPH, VALUES
from pipedoctor.pipeline import ProbeFailed


def test_a_call_on_arrays_tells_how_long_it_takes() -> None:
    x, y = rows(100)
    fit = pipeline(sequential(), x=x, y=y, epochs=4, batch_size=10, initial_epoch=1).fact(Fit)
    assert (fit.rows, fit.batches, fit.steps, fit.epochs, fit.initial_epoch) == (100, 10, 10, 4, 1)
    assert (fit.data, fit.shuffle, fit.sample_weight, fit.validation) == (
        "arrays",
        True,
        False,
        None,
    )


def test_the_end_of_the_rows_is_the_validation_split() -> None:
    x, y = rows(100)
    made = pipeline(sequential(), x=x, y=y, validation_split=0.21)
    fit = made.fact(Fit)
    assert (fit.rows, fit.validation_rows, fit.validation) == (79, 21, "split")
    assert made.fact(Labels, Split.EVAL).counts == {
        int(k): int(n) for k, n in zip(*np.unique(y[79:], return_counts=True), strict=True)
    }
    assert made.fact(Forward, Split.EVAL).rows == tuple(range(79, 100))


def test_steps_per_epoch_decides_over_the_batches_there_are() -> None:
    x, y = rows(100)
    fit = pipeline(sequential(), x=x, y=y, steps_per_epoch=5, epochs=2).fact(Fit)
    assert (fit.batch_size, fit.steps, fit.steps_per_epoch) == (20, 5, 5)


def test_callbacks_are_told_with_their_arguments() -> None:
    class Mine(keras.callbacks.Callback):
        def __init__(self, every: int) -> None:
            super().__init__()
            self.every = every

    x, y = rows()
    given = [keras.callbacks.EarlyStopping(monitor="val_acc", patience=3), Mine(7)]
    stopping, mine = pipeline(sequential(), x=x, y=y, callbacks=given).fact(Fit).callbacks
    assert stopping.kind == "EarlyStopping"
    assert not stopping.own
    assert stopping.parameters["monitor"] == "val_acc"
    assert stopping.parameters["patience"] == 3
    assert (mine.kind, mine.own, mine.parameters) == ("Mine", True, {"every": 7})


def test_a_compiled_model_tells_its_optimizer_and_what_it_logs() -> None:
    x, y = rows()
    told = pipeline(sequential(), x=x, y=y).fact(Compiled)
    assert (told.optimizer, told.optimizer_by_name, told.learning_rate) == ("Adam", True, 0.001)
    assert (told.library, told.metrics) == ("keras", ("loss", "accuracy"))
    assert told.metric_kinds == {"accuracy": "SparseCategoricalAccuracy"}
    (loss,) = told.losses
    assert (loss.output, loss.name, loss.from_logits, loss.by_name) == (
        "classes",
        "sparse_categorical_crossentropy",
        False,
        True,
    )


def test_a_schedule_and_figures_of_an_optimizer_are_told() -> None:
    rate = keras.optimizers.schedules.CosineDecay(0.01, decay_steps=100)
    model = sequential(optimizer=keras.optimizers.SGD(rate, momentum=0.9, clipnorm=1.0))
    x, y = rows(320)
    made = pipeline(model, x=x, y=y, epochs=10)
    told, curve = made.fact(Compiled), made.fact(LearningRate)
    assert (told.schedule, told.learning_rate) == ("CosineDecay", pytest.approx(0.01))
    assert told.schedule_parameters["decay_steps"] == 100
    assert (told.hyper["momentum"], told.hyper["clipnorm"]) == (0.9, 1.0)
    assert not told.optimizer_by_name
    assert (curve.total_steps, curve.at(1)) == (100, pytest.approx(0.01))
    assert curve.at(100) < 1e-4


def test_a_loss_tells_whether_it_takes_logits_and_whose_it_is() -> None:
    def mine(y_true: Any, y_pred: Any) -> Any:
        return keras.ops.mean(y_pred) + 0 * keras.ops.sum(keras.ops.cast(y_true, "float32"))

    x, y = rows()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    (told,) = pipeline(sequential(loss=loss), x=x, y=y).fact(Compiled).losses
    assert (told.from_logits, told.by_name, told.own) == (True, False, False)
    (told,) = pipeline(sequential(loss=mine, metrics=[]), x=x, y=y).fact(Compiled).losses
    assert (told.name, told.own, told.from_logits) == ("mine", True, None)


def test_layers_are_told_with_their_weights_in_figures() -> None:
    model = sequential()
    model.get_layer("classes").kernel.assign(np.zeros((16, 3)))
    made = pipeline(model).fact(Layers)
    assert (made.form, made.built, made.policy) == ("Sequential", True, "float32")
    hidden, norm, last = (made.named(name) for name in ("hidden", "norm", "classes"))
    assert hidden is not None
    assert norm is not None
    assert last is not None
    assert (hidden.activation, hidden.units, hidden.parameters) == ("relu", 16, 8 * 16 + 16)
    assert norm.settings["momentum"] == 0.99
    assert norm.parameters == 4 * 16
    kernel = next(weight for weight in last.weights if weight.name == "kernel")
    assert kernel.constant
    assert kernel.alike == 3
    kernel = next(weight for weight in hidden.weights if weight.name == "kernel")
    assert not kernel.constant
    assert kernel.alike == 1
    assert kernel.std > 0


def test_inner_models_are_walked_and_frozen_layers_said() -> None:
    body = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4, name="inner")], name="body")
    body.trainable = False
    model = compiled(keras.Sequential([body, keras.layers.Dense(3, activation="softmax")]))
    x, y = rows()
    made = pipeline(model, x=x, y=y).fact(Layers)
    inner = made.named("inner")
    assert inner is not None
    assert inner.path == "body/inner"
    assert not inner.trainable


def test_the_activation_of_an_output_is_found_past_layers_that_only_pass_on() -> None:
    x, y = rows()
    inputs = {"one": x, "other": x[:, :4]}
    made = pipeline(functional(), x=inputs, y={"kind": y, "size": x[:, 0]}).fact(Outputs)
    kind, size = made.outputs
    assert (kind.name, kind.activation, kind.units, kind.told_by) == ("kind", "softmax", 3, GRAPH)
    assert (size.activation, size.kind, size.shape) == ("linear", "Reshape", (None, 1))
    assert kind.loss is not None
    assert size.loss is not None
    assert (kind.loss.name, size.loss.name) == (
        "sparse_categorical_crossentropy",
        "mean_squared_error",
    )
    assert kind.targets is not None
    assert size.targets is not None
    assert (kind.targets.kind, kind.targets.maximum, size.targets.kind) == ("int", 2, "float")


def test_metrics_of_several_outputs_have_the_names_that_fit_logs() -> None:
    x, y = rows()
    data = {"x": {"one": x, "other": x[:, :4]}, "y": {"kind": y, "size": x[:, 0]}}
    model = functional()
    told = pipeline(model, **data).fact(Compiled).metrics
    logged = model.fit(**data, verbose=0).history
    assert set(told) == set(logged)


def test_a_subclassed_model_tells_the_layer_whose_answer_it_gives() -> None:
    x, y = rows()
    (end,) = pipeline(compiled(Subclassed(ends="softmax")), x=x, y=y).fact(Outputs).outputs
    assert (end.activation, end.told_by, end.kind) == ("softmax", GRAPH, "Dense")
    (end,) = pipeline(compiled(Subclassed()), x=x, y=y).fact(Outputs).outputs
    assert (end.activation, end.told_by) == ("linear", GRAPH)
    (end,) = pipeline(compiled(Subclassed(softmax=True)), x=x, y=y).fact(Outputs).outputs
    assert (end.activation, end.told_by, end.layer) == ("softmax", VALUES, "")


def test_inputs_are_told_with_their_range_and_what_is_constant() -> None:
    x, y = rows(100)
    x[:, 3], x[5, 0], x[:, 1] = 2.0, np.nan, x[:, 1] * 1e6
    (told,) = pipeline(sequential(), x=x, y=y).fact(Inputs).inputs
    assert (told.name, told.shape, told.rows) == ("features", (8,), 100)
    assert (told.constant, told.constant_count) == ((3,), 1)
    assert (told.not_finite, told.not_finite_rows) == (1, (5,))
    assert told.maximum is not None
    assert told.maximum > 1e5


def test_the_scales_of_features_are_told() -> None:
    x, y = rows(200)
    x[:, 1] *= 1000
    (told,) = pipeline(sequential(), x=x, y=y).fact(Inputs).inputs
    assert told.scales is not None
    assert told.scales[1] / told.scales[0] > 500


def test_labels_are_counted_whole() -> None:
    x, y = rows(90)
    told = pipeline(sequential(), x=x, y=y).fact(Labels)
    assert (told.kind, told.counts, told.width) == ("int", {0: 30, 1: 30, 2: 30}, None)
    assert (told.minimum, told.maximum, told.column) == (0, 2, "y")


def test_one_hot_labels_are_known_for_what_they_are() -> None:
    x, y = rows()
    model = sequential(loss="categorical_crossentropy")
    made = pipeline(model, x=x, y=np.eye(3, dtype="float32")[y])
    (end,) = made.fact(Outputs).outputs
    assert end.targets is not None
    assert (end.targets.one_hot, end.targets.multi_hot, end.targets.shape) == (True, True, (3,))
    assert made.fact(Labels).width == 3


def test_a_batch_names_what_enters_the_model() -> None:
    x, y = rows()
    made = pipeline(sequential(), x=x, y=y, batch_size=16).fact(Batch)
    assert made.rows == 16
    assert made.arrays["features"].shape == (16, 8)
    assert made.arrays["labels"].shape == (16,)


def test_the_loss_of_a_forward_pass_is_that_of_evaluate() -> None:
    x, y = rows(32)
    model = sequential()
    told = pipeline(model, x=x, y=y).fact(Forward)
    assert told.loss == pytest.approx(model.evaluate(x, y, verbose=0)[0], rel=1e-4)
    assert sum(told.row_losses) / 32 == pytest.approx(told.loss, rel=1e-4)


def test_gradients_are_those_of_a_training_step() -> None:
    x, y = rows(32)
    model = sequential(optimizer=keras.optimizers.SGD(1.0))
    model.get_layer("drop").rate = 0.0
    told = pipeline(model, x=x, y=y, shuffle=False).fact(Gradients)
    before = {v.path: np.array(v) for v in model.trainable_variables}
    model.fit(x, y, shuffle=False, verbose=0)
    for variable in model.trainable_variables:
        step = np.linalg.norm(before[variable.path] - np.array(variable))
        assert told.of[variable.path].norm == pytest.approx(step, rel=1e-3, abs=1e-6)


def test_the_gradient_of_a_layer_that_is_not_used_is_missing() -> None:
    class Idle(Subclassed):
        def __init__(self) -> None:
            super().__init__(ends="softmax")
            self.idle = keras.layers.Dense(2)

        def call(self, inputs: Any, training: bool = False) -> Any:
            self.idle(inputs)
            return super().call(inputs, training=training)

    x, y = rows()
    told = pipeline(compiled(Idle()), x=x, y=y).fact(Gradients)
    silent = [name for name in told.of if told.of[name].norm in {None, 0.0}]
    assert len(silent) == 2


def test_neutral_facts_are_there_too() -> None:
    x, y = rows(100)
    made = pipeline(sequential(), x=x, y=y, epochs=2)
    assert made.fact(Rows).used == 100
    assert made.fact(Schedule).total_steps == 8
    model, optimizer = made.fact(Model), made.fact(Optimizer)
    assert model.trainable == optimizer.trainable
    assert model.size == model.trainable + 2 * 16
    assert optimizer.groups[0].learning_rate == 0.001


def test_a_model_that_is_not_compiled_says_so() -> None:
    x, y = rows()
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(3)])
    with pytest.raises(Unavailable, match="not compiled"):
        pipeline(model).fact(Compiled)
    with pytest.raises(ProbeFailed, match="must call `compile"):
        pipeline(model, x=x, y=y).fact(Compiled)


def test_an_unbuilt_model_is_built_and_the_report_says_so() -> None:
    x, y = rows()
    model = sequential(built=False)
    made = pipeline(model, x=x, y=y)
    assert not made.fact(Layers).built
    assert any("built from the first batch" in note for note in made.notes)
    with pytest.raises(Unavailable, match="no weights yet"):
        pipeline(sequential(built=False)).fact(Layers)


def test_class_weights_reach_the_loss() -> None:
    x, y = rows(32)
    plain = pipeline(sequential(), x=x, y=y).fact(Forward)
    model = sequential()
    made = pipeline(model, x=x, y=y, class_weight={0: 10.0, 1: 10.0, 2: 10.0})
    assert made.fact(Fit).class_weight == {0: 10.0, 1: 10.0, 2: 10.0}
    assert not made.fact(Fit).sample_weight
    assert made.fact(Forward).loss > 3 * plain.loss
    assert not math.isnan(made.fact(Forward).loss)
