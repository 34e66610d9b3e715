"""Some hundred rows of a fit of Keras, learned by halves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from keras_fits import keras, pipeline

from pipedoctor.facts import Learnability
from pipedoctor.facts.learnability import CLASSES, NUMBERS, RELATED, UNRELATED
from pipedoctor.frameworks.learning.keras_state import digest

layers = keras.layers


def made(ends: Any, loss: str, units: int = 1) -> Any:
    keras.utils.set_random_seed(0)
    body = [layers.Dense(96, activation="relu") for _ in range(2)]
    model = keras.Sequential([keras.Input((8,)), *body, layers.Dense(units, ends)])
    model.compile(keras.optimizers.Adam(1e-2), loss)
    return model


def data(rows: int = 240) -> tuple[Any, Any]:
    x = np.random.default_rng(0).normal(size=(rows, 8)).astype("float32")
    return x, (x[:, 0] > 0).astype("int64")


def learnability(model: Any, x: Any, y: Any, **words: Any) -> Learnability:
    wishes = {"steps": 50, "rows": 240}
    return pipeline(model, x=x, y=y, epochs=20, overfit=wishes, **words).fact(Learnability)


@pytest.mark.parametrize(
    ("ends", "loss", "units", "kind"),
    [
        ("sigmoid", "binary_crossentropy", 1, CLASSES),
        ("softmax", "sparse_categorical_crossentropy", 2, CLASSES),
        (None, "mse", 1, NUMBERS),
    ],
)
def test_labels_that_go_with_their_inputs_are_seen(
    ends: Any, loss: str, units: int, kind: str
) -> None:
    x, y = data()
    labels = x[:, 0] + 0.1 * x[:, 1] if kind == NUMBERS else y
    fact = learnability(made(ends, loss, units), x, labels)
    assert fact.verdict == RELATED
    assert fact.kind == kind
    assert fact.restored


def test_shuffled_labels_are_learned_by_heart_and_all_is_put_back() -> None:
    x, y = data()
    y = np.random.default_rng(7).permutation(y)
    model = made("sigmoid", "binary_crossentropy")
    before = digest(model)
    fact = learnability(model, x, y)
    assert fact.verdict != RELATED
    assert fact.fitted
    assert fact.verdict == UNRELATED, fact.reason
    assert fact.restored
    assert digest(model) == before
