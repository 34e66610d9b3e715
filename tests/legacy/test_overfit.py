"""Whether one batch is learned, for models of Keras 2; all is put back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("tf_keras")
second_fits = pytest.importorskip("legacy.second_fits")

from pipedoctor.facts import Overfit, Step  # noqa: E402 - after what is imported or skipped


def looked(model: Any, **words: Any) -> tuple[Overfit, Any]:
    found = second_fits.pipeline(model=model, overfit={}, epochs=100, **words)
    return found.fact(Overfit), found


def kinds(found: Overfit) -> list[str]:
    return [reason.kind for reason in found.reasons]


def sums() -> tuple[Any, Any]:
    x = np.random.default_rng(0).normal(size=(64, second_fits.FEATURES)).astype("float32")
    return x, x.sum(1, keepdims=True)


def two_classes() -> tuple[Any, Any]:
    x = np.random.default_rng(0).normal(size=(64, second_fits.FEATURES)).astype("float32")
    return x, (x.sum(1) > 0).astype("float32")


@pytest.mark.parametrize("form", second_fits.FORMS)
def test_a_good_model_learns_and_is_left_as_it_was(form: str) -> None:
    import tf_keras

    x, y = sums()
    model = second_fits.model(form, optimizer=tf_keras.optimizers.Adam(0.05))
    if form in {"subclassed", "own_step"}:
        model(x)
    before = second_fits.held(model)
    found, pipeline = looked(model, x=x, y=y)
    assert (found.verdict, found.restored) == ("learns", True)
    assert second_fits.held(model) == before
    assert "last/kernel" in {name[-11:] for name in pipeline.fact(Step).of}


@pytest.mark.parametrize("kind", ["Adam", "AdamW", "SGD", "legacy.Adam", "legacy.SGD"])
def test_with_optimizers_that_are_built_and_with_those_that_are_not(kind: str) -> None:
    import tf_keras

    x, y = sums()
    place, _, name = kind.rpartition(".")
    kinds_ = tf_keras.optimizers.legacy if place else tf_keras.optimizers
    rate = 0.05
    model = second_fits.model("functional", optimizer=getattr(kinds_, name)(rate))
    assert looked(model, x=x, y=y)[0].verdict == "learns"
    model.fit(x, y, verbose=0)
    before = second_fits.held(model)
    found, _ = looked(model, x=x, y=y)
    assert (found.verdict, found.restored) == ("learns", True)
    assert second_fits.held(model) == before


@pytest.mark.smoke
def test_a_fit_is_the_same_after_one_batch_was_learned() -> None:
    x, y = second_fits.data()
    histories = []
    for look in (False, True):
        model = second_fits.model("functional", metrics=["mae"])
        if look:
            looked(model, x=x, y=y)
        histories.append(model.fit(x, y, batch_size=4, epochs=2, verbose=0).history)
    assert histories[0] == histories[1]


def test_a_model_of_transformers(rows: Any) -> None:
    found, _ = looked(second_fits.lent(), x=rows)
    assert (found.verdict, found.restored) == ("learns", True)
    assert found.chance == pytest.approx(1.0986, abs=0.05)


def test_nothing_is_trained(rows: Any) -> None:
    model = second_fits.lent()
    model.trainable = False
    found, _ = looked(model, x=rows)
    assert (found.verdict, kinds(found)) == ("cannot learn", ["nothing-trainable"])


def test_a_loss_that_is_cut_off_from_the_weights() -> None:
    import tensorflow as tf

    x, y = second_fits.data()
    # The last layer could still learn the mean of the labels: it is cut off too.
    loss = lambda true, told: tf.reduce_mean(tf.square(true - tf.stop_gradient(told)))  # noqa: E731
    found, _ = looked(second_fits.model("functional", loss=loss), x=x, y=y)
    assert (found.verdict, kinds(found)[0]) == ("cannot learn", "loss-detached")
    assert "keras.ops" not in found.reasons[0].remedy


def test_a_softmax_on_one_unit() -> None:
    import tf_keras

    x, y = two_classes()
    layers = [tf_keras.layers.Dense(8), tf_keras.layers.Dense(1, activation="softmax")]
    model = tf_keras.Sequential(layers)
    model.compile("adam", "binary_crossentropy")
    found, _ = looked(model, x=x, y=y)
    assert (found.verdict, kinds(found)[0]) == ("cannot learn", "softmax-on-one-unit")


def test_kernels_that_are_zero() -> None:
    import tf_keras

    x, y = two_classes()
    inner = tf_keras.layers.Dense(8, activation="relu", kernel_initializer="zeros")
    model = tf_keras.Sequential([inner, tf_keras.layers.Dense(1)])
    model.compile("adam", "mse")
    found, _ = looked(model, x=x, y=y)
    assert (found.verdict, "weights-zero" in kinds(found)) == ("cannot learn", True)


def test_a_scaled_loss_in_half_precision() -> None:
    import tf_keras

    x, y = two_classes()
    tf_keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        layers = [tf_keras.layers.Dense(8), tf_keras.layers.Dense(1, dtype="float32")]
        model = tf_keras.Sequential(layers)
        model.compile("adam", "mse")
    finally:
        tf_keras.mixed_precision.set_global_policy("float32")
    assert type(model.optimizer).__name__.startswith("LossScale")
    found, _ = looked(model, x=x, y=y)
    assert (found.verdict, found.restored) == ("learns", True)


def test_a_recurrent_model_and_a_dropout() -> None:
    import tf_keras

    tf_keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).integers(0, 20, (32, 6))
    layers = [tf_keras.layers.Embedding(20, 8), tf_keras.layers.LSTM(8, dropout=0.5)]
    model = tf_keras.Sequential([*layers, tf_keras.layers.Dense(1, activation="sigmoid")])
    model.compile(tf_keras.optimizers.Adam(1e-2), "binary_crossentropy")
    found, _ = looked(model, x=x, y=x[:, 0] % 2)
    assert (found.verdict, found.restored) == ("learns", True)
    assert any("dropout is off" in note for note in found.notes)
