"""Rows of a batch that influence each other in a model of Keras, and those that are meant to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from keras_fits import Subclassed, compiled, functional, keras, pipeline, rows, sequential
from keras_states import states

from pipedoctor import Unavailable, examine
from pipedoctor.facts import Mixing

layers = keras.layers


def ending(*last: Any) -> Any:
    return compiled(keras.Sequential([keras.Input((8,)), layers.Dense(3), *last]))


def mixing(model: Any, x: Any = None, y: Any = None) -> Mixing:
    ours = rows()
    given = {"x": ours[0] if x is None else x, "y": ours[1] if y is None else y}
    return pipeline(model, **given).fact(Mixing)


class Reshaped(keras.layers.Layer):  # type: ignore[misc]  # keras is Any here
    """Two groups of features in the wrong order of axes."""

    def call(self, x: Any) -> Any:
        return keras.ops.reshape(keras.ops.transpose(x), keras.ops.shape(x))


def test_a_softmax_over_the_rows_is_named_with_its_cure() -> None:
    model = ending(layers.Softmax(axis=0, name="shares"))
    x, y = rows()
    before = states(model)
    (found,) = [
        one
        for outcome in examine(model, x=x, y=y).outcomes
        for one in outcome.findings
        if outcome.rule.code == "LOS007"
    ]
    assert "shares (Softmax) is the first layer to mix rows" in found.message
    assert found.remedy == "make shares with axis=-1: axis 0 is that of the rows"
    assert states(model) == before


def test_a_reshape_in_place_of_a_transposition_is_found_with_its_layer() -> None:
    model = compiled(
        keras.Sequential([keras.Input((8,)), Reshaped(name="turned"), layers.Dense(3, "softmax")])
    )
    found = mixing(model)
    assert found.mixed
    assert found.layer is not None
    assert found.layer.name == "turned"


def test_rows_that_stay_apart_do() -> None:
    assert not mixing(sequential()).mixed
    assert not mixing(ending(layers.Softmax())).mixed
    x, _ = rows()
    whole = pipeline(
        functional(),
        x={"one": x, "other": x[:, :4]},
        y={"kind": rows()[1], "size": x[:, :1]},
    )
    assert not whole.fact(Mixing).mixed
    words = np.random.default_rng(0).integers(0, 50, (40, 6))
    text = [layers.Embedding(50, 8), layers.LSTM(8), layers.Dense(3, "softmax")]
    assert not mixing(compiled(keras.Sequential(text)), words, rows(40)[1]).mixed


def test_statistics_of_a_batch_that_are_asked_for_are_no_fault() -> None:
    class Statistics(Subclassed):
        def __init__(self) -> None:
            super().__init__(ends="softmax")
            self.norm = layers.BatchNormalization()

        def call(self, x: Any, training: bool = False) -> Any:
            return self.last(self.norm(self.first(x), training=True))

    model = compiled(Statistics())
    with pytest.raises(Unavailable, match="takes the statistics of each batch"):
        mixing(model)


def test_answers_for_pairs_of_rows_are_let_alone() -> None:
    class Pairs(keras.Model):  # type: ignore[misc]  # as above
        def __init__(self) -> None:
            super().__init__()
            self.inner = layers.Dense(4)

        def call(self, x: Any) -> Any:
            held = self.inner(x)
            return keras.ops.matmul(held, keras.ops.transpose(held))

    model = Pairs()
    model.compile("adam", "mse")
    x, _ = rows(8)
    with pytest.raises(Unavailable, match="compares the rows"):
        mixing(model, x, np.eye(8, dtype="float32"))
