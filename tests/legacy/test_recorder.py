"""The flight recorder in a fit of Keras 2: stopped before the update that would spoil it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")
tf_keras = pytest.importorskip("tf_keras")
second_fits = pytest.importorskip("legacy.second_fits")

from pipedoctor import FitRecorder, Poisoned  # noqa: E402 - after what is imported or skipped
from pipedoctor.facts import Trace  # noqa: E402 - likewise
from pipedoctor.recorder.keras import capsule  # noqa: E402 - likewise

STEPS, STEP, BATCH = 12, 7, 8
BAD_ROW = (STEP - 1) * BATCH + 5


def data() -> tuple[Any, Any]:
    x = np.random.default_rng(0).uniform(1, 2, size=(STEPS * BATCH, 4)).astype("float32")
    y = x.sum(axis=1)
    x[BAD_ROW, 0] = 0.0
    return x, y


def build(**words: Any) -> Any:
    tf_keras.utils.set_random_seed(0)
    layers = tf_keras.layers
    entry = tf_keras.Input((4,))
    logarithm = layers.Lambda(tf.math.log, name="logarithm")(entry)
    inner = layers.Dense(8, activation="tanh")(layers.BatchNormalization()(logarithm))
    model = tf_keras.Model(entry, layers.Dense(1)(inner))
    model.compile(**{"optimizer": "adam", "loss": "mse", **words})
    return model


HOW: tuple[dict[str, Any], ...] = (
    {},
    {"run_eagerly": True},
    {"jit_compile": True},
    {"steps_per_execution": 4},
    {"optimizer": "legacy"},
)


@pytest.mark.parametrize("how", HOW, ids=str)
def test_it_stops_with_the_weights_and_states_of_the_step_before(
    how: dict[str, Any], tmp_path: Path
) -> None:
    def made() -> Any:
        legacy = {"optimizer": tf_keras.optimizers.legacy.Adam()} if "optimizer" in how else {}
        return build(**{**how, **legacy})

    x, y = data()
    recorder, model, alone = FitRecorder(tmp_path), made(), made()
    with pytest.raises(Poisoned, match=f"step {STEP}: ") as stopped:
        model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0, callbacks=[recorder])
    assert stopped.value.capsule == recorder.capsule
    before = (STEP - 1) * BATCH
    alone.fit(x[:before], y[:before], batch_size=BATCH, shuffle=False, verbose=0)
    assert int(model.optimizer.iterations) == STEP - 1
    for one, other in zip(model.get_weights(), alone.get_weights(), strict=True):
        assert np.isfinite(one).all()
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


@pytest.mark.smoke
def test_its_capsule_is_replayed_to_the_line_and_the_row(tmp_path: Path) -> None:
    recorder, model = FitRecorder(tmp_path), build()
    with pytest.raises(Poisoned):
        model.fit(*data(), batch_size=BATCH, verbose=0, callbacks=[recorder])
    kept = capsule.read(str(recorder.capsule))
    assert BAD_ROW in kept.batch.rows
    wish = {"capsule": recorder.capsule}
    trace = second_fits.pipeline(model=build(), trace=wish).fact(Trace)
    assert trace.root is not None
    assert trace.root.family == "log-of-zero"
    assert trace.rows == (BAD_ROW,)


def test_the_other_updates_are_made_where_the_fit_is_to_go_on(tmp_path: Path) -> None:
    model = build()
    recorder = FitRecorder(tmp_path, stop=False)
    model.fit(*data(), batch_size=BATCH, verbose=0, callbacks=[recorder])
    assert recorder.capsule is not None
    assert int(model.optimizer.iterations) == STEPS - 1
    assert all(np.isfinite(one).all() for one in model.get_weights())


def test_a_good_fit_is_what_it_is_without_a_recorder(tmp_path: Path) -> None:
    x, y = data()
    x[BAD_ROW, 0] = 1.0
    histories = []
    for callbacks in ([], [FitRecorder(tmp_path)]):
        model = build(metrics=["mae"])
        words = {"batch_size": BATCH, "epochs": 2, "validation_split": 0.1, "verbose": 0}
        histories.append(model.fit(x, y, callbacks=callbacks, **words).history)
    for name, values in histories[0].items():
        np.testing.assert_allclose(values, histories[1][name], rtol=1e-5)
    assert list(tmp_path.iterdir()) == []


def test_a_model_of_transformers_with_its_labels_among_the_inputs(
    rows: dict[str, Any], tmp_path: Path
) -> None:
    model, recorder = second_fits.lent(), FitRecorder(tmp_path)
    model({"input_ids": rows["input_ids"]})
    weight = model.distilbert.embeddings.weight
    spoilt = weight.numpy()
    spoilt[int(rows["input_ids"][9, 0])] = np.inf
    weight.assign(spoilt)
    with pytest.raises(Poisoned):
        model.fit(rows, batch_size=8, shuffle=False, verbose=0, callbacks=[recorder])
    again = second_fits.lent()
    trace = second_fits.pipeline(model=again, trace={"capsule": recorder.capsule}).fact(Trace)
    assert trace.root is not None
    assert trace.root.when == "weights"
    assert "word_embeddings" in trace.root.name
