"""Ten healthy models in the style of Keras' own examples: nothing is said of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from keras_fits import keras

import pipedoctor
from pipedoctor import Severity
from pipedoctor.report import Status

BACKEND = keras.backend.backend()
L: Any = keras.layers
RNG = np.random.default_rng(7)
SCORES = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def image_classifier() -> dict[str, Any]:
    y = RNG.integers(0, 10, 400)
    x = RNG.integers(0, 256, (400, 12, 12, 1)).astype("uint8")
    model = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            L.Rescaling(1 / 255),
            L.Conv2D(8, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dropout(0.5),
            L.Dense(10, activation="softmax"),
        ]
    )
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    stop = keras.callbacks.EarlyStopping(monitor="val_accuracy", patience=2)
    return {
        "model": model, "x": x, "y": y, "batch_size": 64, "epochs": 5,
        "validation_split": 0.1, "callbacks": [stop],
    }  # fmt: skip


def texts_with_embeddings() -> dict[str, Any]:
    x = RNG.integers(0, 500, (300, 20))
    model = keras.Sequential(
        [
            keras.Input((20,), dtype="int32"),
            L.Embedding(500, 16),
            L.GlobalAveragePooling1D(),
            L.Dense(16, activation="relu"),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return {"model": model, "x": x, "y": (x[:, 0] > 250).astype("float32"), "epochs": 3}


def regression_with_normalisation() -> dict[str, Any]:
    x = RNG.normal([3.0, 5000.0, 0.01], [1.0, 2000.0, 0.002], (400, 3)).astype("float32")
    norm = L.Normalization()
    norm.adapt(x)
    model = keras.Sequential([keras.Input((3,)), norm, L.Dense(32, activation="relu"), L.Dense(1)])
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse", metrics=["mae"])
    return {"model": model, "x": x, "y": x[:, 0] * 2 - 4, "epochs": 10, "validation_split": 0.2}


def several_labels_a_row() -> dict[str, Any]:
    x = RNG.normal(size=(300, 10)).astype("float32")
    y = (x[:, :4] > 0).astype("float32")
    model = keras.Sequential(
        [keras.Input((10,)), L.Dense(16, activation="relu"), L.Dense(4, activation="sigmoid")]
    )
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["binary_accuracy"])
    return {"model": model, "x": x, "y": y, "epochs": 3}


def several_outputs() -> dict[str, Any]:
    x = RNG.normal(size=(300, 10)).astype("float32")
    given = keras.Input((10,), name="row")
    body = L.Dense(16, activation="relu")(given)
    model = keras.Model(
        given,
        {"kind": L.Dense(3, name="kind")(body), "size": L.Dense(1, name="size")(body)},
    )
    model.compile(
        optimizer="adam",
        loss={"kind": SCORES, "size": "mse"},
        loss_weights={"kind": 1, "size": 0.2},
    )
    y = {"kind": RNG.integers(0, 3, 300), "size": x[:, 0] * 3}
    return {"model": model, "x": x, "y": y, "epochs": 3}


def inputs_by_name() -> dict[str, Any]:
    ids, amount = keras.Input((1,), name="user", dtype="int32"), keras.Input((4,), name="amount")
    table = L.Flatten()(L.Embedding(50, 8)(ids))
    body = L.Dense(16, activation="relu")(L.Concatenate()([table, amount]))
    model = keras.Model({"user": ids, "amount": amount}, L.Dense(2, activation="softmax")(body))
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    x = {
        "user": RNG.integers(0, 50, (300, 1)),
        "amount": RNG.normal(size=(300, 4)).astype("float32"),
    }
    y = keras.utils.to_categorical(RNG.integers(0, 2, 300), 2)
    return {"model": model, "x": x, "y": y, "epochs": 3}


class OwnStep(keras.Model):  # type: ignore[name-defined, misc]  # keras has no types
    """A model whose step is its own, and does what Keras' does."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = L.Dense(16, activation="relu")
        self.last = L.Dense(1)

    def call(self, x: Any) -> Any:
        return self.last(self.hidden(x))

    def train_step(self, *words: Any) -> Any:
        return super().train_step(*words)


def own_training_step() -> dict[str, Any]:
    x = RNG.normal(size=(300, 5)).astype("float32")
    model = OwnStep()
    model.compile(optimizer="adam", loss="mse", metrics=["mae"])
    return {"model": model, "x": x, "y": x.sum(axis=1, keepdims=True), "epochs": 3}


def augmented_dataset() -> dict[str, Any]:
    tf = pytest.importorskip("tensorflow", reason="tf.data is TensorFlow's")
    x = RNG.integers(0, 256, (200, 8, 8, 3)).astype("uint8")
    data = (
        tf.data.Dataset.from_tensor_slices((x, RNG.integers(0, 5, 200)))
        .shuffle(200)
        .map(lambda a, b: (tf.image.random_flip_left_right(tf.cast(a, tf.float32) / 255.0), b))
        .batch(32)
        .prefetch(1)
    )
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            L.Conv2D(8, 3, use_bias=False),
            L.BatchNormalization(momentum=0.9),
            L.ReLU(),
            L.GlobalAveragePooling2D(),
            L.Dense(5),
        ]
    )
    model.compile(optimizer="adam", loss=SCORES, metrics=["accuracy"])
    return {"model": model, "x": data, "epochs": 8, "validation_data": data.take(1)}


def classes_with_weights() -> dict[str, Any]:
    x = RNG.normal(size=(600, 6)).astype("float32")
    y = (RNG.random(600) < 0.03).astype("int32")
    y[:10] = 1
    y = RNG.permutation(y)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            L.Dense(32, activation="relu"),
            L.Dropout(0.3),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(1e-2),
        loss="binary_crossentropy",
        metrics=[keras.metrics.Precision(name="precision"), keras.metrics.Recall(name="recall")],
    )
    return {
        "model": model, "x": x, "y": y, "batch_size": 128, "epochs": 5,
        "class_weight": {0: 1 / 580, 1: 1 / 20},
        "callbacks": [keras.callbacks.ReduceLROnPlateau(monitor="loss")],
    }  # fmt: skip


def series_with_lstm() -> dict[str, Any]:
    x = RNG.normal(size=(256, 12, 3)).astype("float32")
    model = keras.Sequential([keras.Input((12, 3)), L.LSTM(8), L.Dense(1)])
    model.compile(optimizer=keras.optimizers.RMSprop(1e-3), loss="mae")
    return {"model": model, "x": x, "y": x[:, -1, 0], "epochs": 3, "batch_size": 64}


@pytest.mark.parametrize(
    "make",
    [
        image_classifier,
        texts_with_embeddings,
        regression_with_normalisation,
        several_labels_a_row,
        several_outputs,
        inputs_by_name,
        own_training_step,
        augmented_dataset,
        classes_with_weights,
        series_with_lstm,
    ],
    ids=lambda make: make.__name__,
)
def test_nothing_is_said_of_a_healthy_model(make: Callable[[], dict[str, Any]]) -> None:
    keras.utils.set_random_seed(1)
    report = pipedoctor.examine(**make(), overfit={})
    assert report.ok(Severity.WARNING), report
    assert report.ready
    assert report.count(Status.PASSED) > 15
    assert {"Overfit", "Step"} <= {fact["fact"] for fact in report.facts}
