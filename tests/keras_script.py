"""A script that calls fit on rows which can be learned."""

from __future__ import annotations


def of_rows(rows: int) -> str:
    """Return its text, with so many rows."""
    return f"""
import keras
import numpy as np

keras.utils.set_random_seed(0)
random = np.random.default_rng(0)
x = random.normal(size=({rows}, 8)).astype("float32")
y = (x[:, 0] > 0).astype("int64")
layers = [keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1, activation="sigmoid")]
model = keras.Sequential([keras.Input((8,)), *layers])
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=20, verbose=0)
"""
