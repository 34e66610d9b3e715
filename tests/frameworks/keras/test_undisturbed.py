"""An examination leaves a model of Keras, its data and every random state as they were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from keras_fits import BACKEND, Subclassed, compiled, functional, keras, pipeline, rows, sequential
from keras_states import random_state, states

from pipedoctor import Cost, examine
from pipedoctor.facts import Compiled, Forward, Gradients, Inputs, Layers, Outputs
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
