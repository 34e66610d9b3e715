"""An examination leaves a model of Keras, its data and every random state as they were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from keras_fits import BACKEND, Subclassed, compiled, functional, keras, pipeline, rows, sequential
from keras_states import random_state, states

from pipedoctor import Cost, Unavailable, examine
from pipedoctor.facts import Compiled, Forward, Gradients, Inputs, Layers, Outputs
from pipedoctor.frameworks.fitting import room, step
from pipedoctor.options import Options

DEEP = Options(depth=Cost.TRAINING)


@pytest.mark.parametrize("trained", [False, True], ids=["fresh", "trained"])
def test_every_variable_and_random_state_stays_bit_for_bit(trained: bool) -> None:
    x, y = rows()
    model = sequential(metrics=["accuracy", keras.metrics.SparseTopKCategoricalAccuracy(2)])
    if trained:
        model.fit(x, y, verbose=0)
    before, chance = states(model), random_state()
    report = examine(model, x=x, y=y, validation_split=0.2, epochs=2, options=DEEP)
    assert {fact["fact"] for fact in report.facts} >= {"Forward", "Gradients"}
    assert states(model) == before
    assert random_state() == chance


def test_functions_and_flags_of_the_model_stay() -> None:
    x, y = rows()
    model = sequential()
    before = {name: value for name, value in vars(model).items() if not callable(value)}
    made = pipeline(model, x=x, y=y)
    for fact in (Compiled, Layers, Inputs, Outputs, Forward, Gradients):
        made.fact(fact)
    after = {name: value for name, value in vars(model).items() if not callable(value)}
    assert before.keys() == after.keys()
    assert [name for name in before if before[name] is not after[name]] == []
    assert not model._compile_loss.built
    assert not model._compile_metrics.built
    assert not model.optimizer.built
    assert model.train_function is None


def test_a_later_fit_goes_as_if_nobody_had_looked() -> None:
    histories = []
    for look in (False, True):
        keras.utils.set_random_seed(3)
        x, y = rows()
        model = sequential(built=False)
        if look:
            examine(model, x=x, y=y, epochs=2, options=DEEP)
        histories.append(model.fit(x, y, epochs=2, verbose=0).history)
    assert histories[0] == histories[1]


class Counting(Subclassed):
    """Counts how often its training step is gone through in Python: once a trace, if compiled."""

    def __init__(self) -> None:
        super().__init__(ends="softmax")
        self.traces: list[int] = []

    def train_step(self, *words: Any) -> Any:
        self.traces.append(1)
        return super().train_step(*words)


def test_a_later_fit_traces_no_more_often() -> None:
    x, y = rows(96)
    counts = []
    for look in (False, True):
        model = compiled(Counting())
        if look:
            examine(model, x=x, y=y, options=DEEP)
        model.traces.clear()
        model.fit(x, y, epochs=2, verbose=0)
        model.fit(x, y, epochs=2, verbose=0)
        counts.append(len(model.traces))
    assert counts[0] == counts[1]


def test_states_of_batch_normalisation_and_dropout_stay_after_a_training_step() -> None:
    x, y = rows()
    model = sequential()
    norm, drop = model.get_layer("norm"), model.get_layer("drop")
    before = np.array(keras.ops.convert_to_numpy(norm.moving_mean))
    seed = np.array(keras.ops.convert_to_numpy(drop.seed_generator.state))
    pipeline(model, x=x, y=y).fact(Gradients)
    assert (keras.ops.convert_to_numpy(norm.moving_mean) == before).all()
    assert (keras.ops.convert_to_numpy(drop.seed_generator.state) == seed).all()


def test_metrics_of_the_users_own_that_are_built_late_are_as_new_afterwards() -> None:
    x, y = rows()
    score = keras.metrics.F1Score(average="macro")
    model = sequential(loss="categorical_crossentropy", metrics=[score])
    targets = np.eye(3, dtype="float32")[y]
    examine(model, x=x, y=targets, options=DEEP)
    assert all(not keras.ops.convert_to_numpy(one).any() for one in score.variables)
    assert model.fit(x, targets, verbose=0).history.keys() == {"loss", "f1_score"}


@pytest.mark.skipif(BACKEND != "torch", reason="only torch keeps gradients at its parameters")
def test_gradients_of_torch_stay() -> None:
    x, y = rows()
    model = sequential()
    model.fit(x, y, verbose=0)
    before = [one.value.grad.clone() for one in model.trainable_variables]
    examine(model, x=x, y=y, options=DEEP)
    after = [one.value.grad for one in model.trainable_variables]
    assert all((one == other).all() for one, other in zip(before, after, strict=True))


def test_several_outputs_are_left_alone_too() -> None:
    x, y = rows()
    model = functional()
    data = {"x": {"one": x, "other": x[:, :4]}, "y": {"kind": y, "size": x[:, 0]}}
    before = states(model)
    examine(model, **data, options=DEEP)
    assert states(model) == before
    assert not model._compile_loss.built


@pytest.mark.skipif(BACKEND == "jax", reason="on jax Keras itself refuses to draw without a seed")
def test_what_is_drawn_without_a_seed_leaves_the_global_generators() -> None:
    class Noisy(keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs + keras.random.normal((8,))

    keras.utils.set_random_seed(4)
    x, y = rows()
    model = compiled(keras.Sequential([keras.Input((8,)), Noisy(), keras.layers.Dense(3)]))
    keras.random.normal((1,))
    state = keras.src.random.seed_generator.global_seed_generator().state
    before = keras.ops.convert_to_numpy(state).tolist()
    examine(model, x=x, y=y, options=DEEP)
    assert keras.ops.convert_to_numpy(state).tolist() == before
    assert keras.src.random.seed_generator.global_seed_generator().state is state


@pytest.mark.skipif(BACKEND != "tensorflow", reason="only tensorflow has this generator")
def test_the_global_generator_of_tensorflow_stays() -> None:
    import tensorflow as tf

    def noisy(inputs: Any) -> Any:
        return inputs + tf.random.get_global_generator().normal((8,))

    layers = [keras.Input((8,)), keras.layers.Lambda(noisy), keras.layers.Dense(3)]
    x, y = rows()
    model = compiled(keras.Sequential(layers))
    before = tf.random.get_global_generator().state.numpy().tolist()
    examine(model, x=x, y=y, options=DEEP)
    assert tf.random.get_global_generator().state.numpy().tolist() == before


class Stepping(Subclassed):
    """Makes its step itself, with optimizers that it was handed."""

    def __init__(self, *optimizers: Any, held: bool = True, by_hand: bool = False) -> None:
        super().__init__(ends="softmax")
        self.stepping = (lambda: optimizers) if not held else None
        self.groups = {"all": [{"step": one} for one in optimizers]} if held else {}
        self.by_hand = by_hand

    def step(self, grads: Any, weights: Any) -> None:
        found = self.stepping() if self.stepping else [o["step"] for o in self.groups["all"]]
        for optimizer in found:
            optimizer.apply(grads, weights)
        if self.by_hand:
            for weight, grad in zip(weights, grads, strict=True):
                weight.assign(weight - 0.1 * grad)

    def train_step(self, data: Any) -> Any:
        x, y = data
        weights = self.trainable_variables
        if BACKEND == "torch":
            self.zero_grad()
            loss = self.compute_loss(x, y, self(x, training=True))
            loss.backward()
            grads = [one.value.grad for one in weights]
            self.torch_step(grads, weights)
            return {"loss": loss}
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
        self.step(tape.gradient(loss, weights), weights)
        return {"loss": loss}

    def torch_step(self, grads: Any, weights: Any) -> None:
        import torch

        with torch.no_grad():
            self.step(grads, weights)


stepping = pytest.mark.skipif(BACKEND == "jax", reason="of jax no own step is stopped")


@stepping
def test_optimizers_in_lists_and_mappings_are_withheld() -> None:
    x, y = rows()
    adam = keras.optimizers.Adam(0.1)
    model = compiled(Stepping(adam))
    model(x[:2])
    before = states(model)
    found = pipeline(model, x=x, y=y).fact(Gradients)
    assert all(one.reached for one in found.of.values())
    assert found.logged == ("loss",)
    assert states(model) == before
    assert not adam.built
    assert int(adam.iterations) == 0


@stepping
def test_a_step_that_changes_weights_by_itself_is_put_back_and_not_told() -> None:
    x, y = rows()
    model = compiled(Stepping(keras.optimizers.SGD(0.1), by_hand=True))
    model(x[:2])
    before = states(model)
    with pytest.raises(Unavailable, match="without an optimizer of Keras"):
        pipeline(model, x=x, y=y).fact(Gradients)
    assert states(model) == before


@stepping
def test_an_optimizer_that_the_model_does_not_hold_is_stopped_before_it_steps() -> None:
    x, y = rows()
    adam = keras.optimizers.Adam(0.1)
    model = compiled(Stepping(adam, held=False))
    model(x[:2])
    before = states(model)
    with pytest.raises(
        Unavailable, match=r"uses an optimizer \(Adam\) that the model does not hold"
    ):
        pipeline(model, x=x, y=y).fact(Gradients)
    assert states(model) == before
    assert not adam.built


def test_without_room_for_a_copy_nothing_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = rows()
    monkeypatch.setattr(room, "available", lambda: 100)
    made = pipeline(sequential(), x=x, y=y)
    assert made.fact(Compiled).losses  # what is called on symbols takes no copy
    with pytest.raises(Unavailable, match="no room for a copy of the weights, and their gradi"):
        made.fact(Gradients)
    if BACKEND != "jax":
        with pytest.raises(Unavailable, match="no room for a copy of the weights, to put"):
            made.fact(Forward)


def test_layers_are_watched_only_where_their_graph_does_not_tell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x, y = rows()
    model = compiled(Subclassed(ends="softmax"))
    (end,) = pipeline(model, x=x, y=y).fact(Outputs).outputs
    assert (end.activation, end.told_by, end.kind) == ("softmax", "graph", "Dense")
    monkeypatch.setattr(step, "watched", None)
    made = pipeline(sequential(), x=x, y=y)
    assert made.fact(step.Answered).ends == ()
    (end,) = made.fact(Outputs).outputs
    assert (end.activation, end.told_by) == ("softmax", "graph")
