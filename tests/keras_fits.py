"""Small models of Keras and calls of fit, on whichever backend the environment names."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

from pipedoctor import frameworks
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

keras = pytest.importorskip("keras")

BACKEND = keras.backend.backend()


def rows(
    count: int = 100, features: int = 8, classes: int = 3, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of normal numbers, and a class for each that follows from them."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(count, features)).astype("float32")
    return x, np.argsort(np.argsort(x[:, 0])) * classes // count


def compiled(model: Any, **words: Any) -> Any:
    usual = {"optimizer": "adam", "loss": "sparse_categorical_crossentropy"}
    model.compile(**{**usual, "metrics": ["accuracy"], **words})
    return model


def sequential(units: int = 3, *, built: bool = True, **words: Any) -> Any:
    """A classifier with dropout and batch normalisation, so that there is much to disturb."""
    layers = [
        keras.layers.Dense(16, activation="relu", name="hidden"),
        keras.layers.BatchNormalization(name="norm"),
        keras.layers.Dropout(0.5, name="drop"),
        keras.layers.Dense(units, activation="softmax", name="classes"),
    ]
    if built:
        layers.insert(0, keras.Input((8,), name="features"))
    return compiled(keras.Sequential(layers), **words)


def functional(**words: Any) -> Any:
    """Two inputs under names, two outputs with a loss each."""
    one, other = keras.Input((8,), name="one"), keras.Input((4,), name="other")
    both = keras.layers.Concatenate()([one, other])
    hidden = keras.layers.Dense(8, activation="relu")(both)
    kind = keras.layers.Dense(3, activation="softmax", name="kind")(hidden)
    size = keras.layers.Dropout(0.1)(keras.layers.Dense(1, name="size")(hidden))
    size = keras.layers.Reshape((1,), name="flat_size")(size)
    model = keras.Model(inputs={"one": one, "other": other}, outputs={"kind": kind, "size": size})
    loss = {"kind": keras.losses.SparseCategoricalCrossentropy(), "size": "mse"}
    usual = {"loss": loss, "metrics": {"kind": ["accuracy"], "size": ["mae"]}}
    return compiled(model, **{**usual, **words})


class Subclassed(keras.Model):
    """Layers in attributes, a softmax of the backend's own at the end if asked for."""

    def __init__(self, *, ends: str | None = None, softmax: bool = False) -> None:
        super().__init__()
        self.first = keras.layers.Dense(8, activation="tanh")
        self.drop = keras.layers.Dropout(0.2)
        self.last = keras.layers.Dense(3, activation=ends)
        self.softmax = softmax

    def call(self, inputs: Any, training: bool = False) -> Any:
        answer = self.last(self.drop(self.first(inputs), training=training))
        return keras.ops.softmax(answer) if self.softmax else answer


def pipeline(model: Any, **words: Any) -> Pipeline:
    """The pipeline of a fit: arguments of fit, or parts."""
    given = Parts(frameworks.given({"model": model, **words}))
    return Pipeline(given, frameworks.probes(given))
