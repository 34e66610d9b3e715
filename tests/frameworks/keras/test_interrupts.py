"""Ctrl-C at any moment of a training that is tried with Keras: the model is as it was."""

from __future__ import annotations

import signal
from typing import Any

import pytest
from interrupting import after_lines
from keras_fits import keras, pipeline, rows

from pipedoctor.fact import Fact
from pipedoctor.facts import Overfit, RangeTest
from pipedoctor.frameworks.learning.keras_state import digest
from pipedoctor.parts import Parts

layers = keras.layers


def fit() -> tuple[Any, dict[str, Any]]:
    """A model in the middle of a training, with all that one moves."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(16, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.2),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(1e-9), "sparse_categorical_crossentropy")
    x, y = rows(200)
    model.fit(x, y, epochs=1, verbose=0)
    return model, {"x": x, "y": y, "epochs": 20, "batch_size": 16}


WISH = {Overfit: {"overfit": {"steps": 6}}, RangeTest: {"range_test": {"steps": 30}}}


@pytest.mark.deep
@pytest.mark.parametrize("kind", [Overfit, RangeTest])
def test_at_any_line(kind: type[Fact]) -> None:
    model, words = fit()
    before, losses = digest(model), vars(model).get("_compile_loss")
    handler = signal.getsignal(signal.SIGINT)

    def measured() -> None:
        one = pipeline(model, **words)
        one.parts = Parts({**one.parts, **WISH[kind]})
        one.fact(kind)

    after_lines(-1, measured)  # what is made at the first time is not made again
    lines = after_lines(-1, measured)
    assert digest(model) == before
    assert lines > 500
    for number in (lines // 3, lines - 300, lines - 120, lines - 40):
        with pytest.raises(KeyboardInterrupt):
            after_lines(number, measured)
        assert digest(model) == before, number
        assert vars(model).get("_compile_loss") is losses
        assert signal.getsignal(signal.SIGINT) is handler
