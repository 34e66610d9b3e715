"""
What an examination of a compiled model of Keras takes, against one epoch of its `fit`.

    python benchmarks/fit_examination.py [ROUNDS] [--save]

The data is in memory and the epoch has 20 batches. Each is done in a process of its own that has
imported Keras and built the model before: what fit traces, it traces. The claim: the examination
takes less than twice the epoch. All are CPU seconds, the rounds interleaved.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

from measuring import report, side_by_side

MODELS = ("dense", "images", "texts")
KINDS = ("fit", "examine")


def made(name: str) -> tuple[object, object, object]:
    """Return a compiled model, its rows and its labels: 20 batches of 32."""
    import keras
    import numpy as np

    random, layers = np.random.default_rng(0), keras.layers
    y = random.integers(0, 10, 640)
    if name == "dense":
        x = random.normal(size=(640, 64)).astype("float32")
        stack = [keras.Input((64,)), layers.Dense(256, activation="relu"), layers.Dropout(0.2)]
        stack.append(layers.Dense(256, activation="relu"))
    elif name == "images":
        x = random.random((640, 32, 32, 3)).astype("float32")
        stack = [keras.Input((32, 32, 3))]
        for width in (32, 64, 128):
            stack += [
                layers.Conv2D(width, 3, padding="same", use_bias=False),
                layers.BatchNormalization(momentum=0.9),
                layers.ReLU(),
                layers.MaxPooling2D(),
            ]
        stack.append(layers.GlobalAveragePooling2D())
    else:
        x = random.integers(0, 5000, (640, 100))
        stack = [keras.Input((100,), dtype="int32"), layers.Embedding(5000, 64)]
        stack += [layers.Bidirectional(layers.LSTM(32))]
    model = keras.Sequential([*stack, layers.Dense(10, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y


def child(kind: str, name: str) -> None:
    """Do one of the two, and print its CPU seconds."""
    import pipedoctor
    import pipedoctor.live

    model, x, y = made(name)
    before = time.process_time()
    if kind == "fit":
        model.fit(x, y, batch_size=32, epochs=1, verbose=0)  # type: ignore[attr-defined]
    elif kind == "examine":
        found = pipedoctor.examine(model, x=x, y=y, batch_size=32, epochs=5)
        assert found.ready, found
    print(time.process_time() - before)


def taken(kind: str, name: str) -> float:
    """Return the CPU seconds that a fresh process needs for it, once Keras is there."""
    variables = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    words = [sys.executable, __file__, "--child", kind, name]
    done = subprocess.run(words, env=variables, capture_output=True, check=True, text=True)
    return float(done.stdout.split()[-1])


def main(rounds: int, *, save: bool) -> None:
    """Print and keep what each takes, with its ratio to the epoch."""
    measures = {
        f"{name}: {kind}": lambda kind=kind, name=name: taken(kind, name)  # type: ignore[misc]
        for name in MODELS
        for kind in KINDS
    }
    found = side_by_side(measures, rounds)
    for name in MODELS:
        rows = {kind: found[f"{name}: {kind}"] for kind in KINDS}
        report(f"fit examination {name}: against an epoch of 20 batches", rows, "fit", save=save)


if __name__ == "__main__":
    if "--child" in sys.argv:
        child(*sys.argv[-2:])
    else:
        numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
        main(numbers[0] if numbers else 3, save="--save" in sys.argv)
