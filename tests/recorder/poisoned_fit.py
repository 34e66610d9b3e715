"""A fit that is to be stopped at step 37 of 60: one row of its data holds a 0, whose log is taken."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

STEPS, STEP, BATCH = 60, 37, 16
BAD_ROW = (STEP - 1) * BATCH + 7


class Logarithm(keras.layers.Layer):  # type: ignore[misc]  # keras is Any here
    def __init__(self, smallest: float = 0.0, **words: Any) -> None:
        super().__init__(name="logarithm", **words)
        self.smallest = smallest

    def call(self, x: Any) -> Any:
        safe = keras.ops.maximum(x, self.smallest)
        return keras.ops.concatenate([x, keras.ops.log(safe)], axis=-1)  # HERE


def build(smallest: float = 0.0, **words: Any) -> Any:
    """Return a model with states: dropout and batch normalisation."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            Logarithm(smallest),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(8, activation="tanh"),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(1),
        ]
    )
    model.compile(**{"optimizer": "adam", "loss": "mse", **words})
    return model


def mended() -> Any:
    return build(smallest=1e-6)


def data() -> tuple[Any, Any]:
    x = np.random.default_rng(0).uniform(1, 2, size=(STEPS * BATCH, 4)).astype("float32")
    y = x.sum(axis=1)
    x[BAD_ROW, 0] = 0.0
    return x, y


if __name__ == "__main__":
    build().fit(*data(), batch_size=BATCH, shuffle=False, verbose=0)
