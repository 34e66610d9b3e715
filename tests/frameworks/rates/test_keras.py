"""The range test on fits of Keras: what works, what is disproved, and what is put back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from keras_fits import keras, rows
from rate_pipelines import pipeline, tried, usual

from pipedoctor.fact import Unavailable
from pipedoctor.facts.range_test import FOUND, INCONCLUSIVE, TOO_HIGH, TOO_LOW
from pipedoctor.frameworks.learning.keras_state import digest
from pipedoctor.frameworks.rates.keras_sweeper import KerasSweeper

layers = keras.layers


def fit(optimizer: Any = "adam", *, build: bool = True, **words: Any) -> dict[str, Any]:
    """A classifier with all that a training moves: dropout, batch normalisation, seeds."""
    keras.utils.set_random_seed(0)
    body = [
        layers.Dense(16, activation="relu"),
        layers.BatchNormalization(),
        layers.Dropout(0.2),
        layers.Dense(3, activation="softmax"),
    ]
    model = keras.Sequential([keras.Input((8,)), *body] if build else body)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = rows(1000)
    return {"model": model, "x": x, "y": y, "epochs": 20, "batch_size": 16, **words}


def test_a_healthy_fit_is_not_accused_and_its_rate_by_name_is_named() -> None:
    given = fit()
    before = digest(given["model"])
    found = tried(given)
    assert found.works, found
    assert found.by_name == "Adam"
    assert found.rate == pytest.approx(1e-3)
    assert found.batches == 40
    assert found.batch_rows == 16
    assert found.suggestion is not None
    assert found.restored
    assert digest(given["model"]) == before


@pytest.mark.deep
def test_a_rate_that_is_stated_is_not_by_name() -> None:
    found = tried(fit(keras.optimizers.Adam(0.5)))
    assert found.by_name == ""
    assert found.rate == pytest.approx(0.5)


@pytest.mark.deep
def test_too_high_is_proved() -> None:
    high = tried(fit(keras.optimizers.SGD(3000.0)))
    assert high.judged == TOO_HIGH
    assert high.times is not None
    assert high.times > 3


@pytest.mark.deep
def test_too_low_is_proved() -> None:
    low = tried(fit(keras.optimizers.Adam(1e-9)))
    assert low.judged == TOO_LOW
    assert low.restored


@pytest.mark.deep
def test_the_highest_rate_of_a_schedule_counts() -> None:
    schedule = keras.optimizers.schedules.CosineDecay(0.01, 1000)
    found = tried(fit(keras.optimizers.Adam(schedule)))
    assert found.rate == pytest.approx(0.01)
    assert any("CosineDecay" in note for note in found.notes)
    assert found.restored


def test_nan_is_told_and_no_rate() -> None:
    given = fit()
    given["x"] = np.where(np.arange(1000)[:, None] % 50, given["x"], np.nan).astype("float32")
    found = tried(given)
    assert found.outcome == INCONCLUSIVE
    assert "before any update" in found.why
    assert "nan-trace" in found.advice
    assert found.suggestion is None


@pytest.mark.deep
def test_a_frozen_model_gets_no_suggestion() -> None:
    given = fit()
    for layer in given["model"].layers:
        layer.trainable = False
    found = tried(given)
    assert found.outcome == INCONCLUSIVE
    assert "overfit" in found.advice


def test_a_model_that_is_not_compiled() -> None:
    given = fit()
    model = keras.Sequential([keras.Input((8,)), layers.Dense(3)])
    with pytest.raises(Exception, match="compile"):
        tried({**given, "model": model})


@pytest.mark.deep
@pytest.mark.tensorflow
def test_a_data_set_gives_its_own_batches() -> None:
    tf = pytest.importorskip("tensorflow")
    given = fit(build=False)
    data = tf.data.Dataset.from_tensor_slices((given.pop("x"), given.pop("y"))).batch(25)
    given.pop("batch_size")
    found = tried({**given, "x": data})
    assert found.outcome == FOUND
    assert (found.batches, found.batch_rows) == (40, 25)
    assert found.restored


def test_a_generator_is_left_to_fit() -> None:
    given = fit()
    x, y = given.pop("x"), given.pop("y")
    given.pop("batch_size")
    batches = ((x[at : at + 10], y[at : at + 10]) for at in range(0, 1000, 10))
    with pytest.raises(Unavailable, match="can be read only once"):
        tried({**given, "x": batches, "steps_per_epoch": 5})
    assert len(list(batches)) == 100


def test_ctrl_c_leaves_all_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    given = fit()
    one = pipeline(given)
    step, made = KerasSweeper.step, []
    before: list[str] = []

    def interrupted(self: Any, place: int, rate: float) -> tuple[float, bool]:
        if len(made) == 4:
            assert digest(given["model"]) != before[0]
            raise KeyboardInterrupt
        made.append(rate)
        return step(self, place, rate)

    monkeypatch.setattr(KerasSweeper, "step", interrupted)
    before.append(digest(given["model"]))
    from pipedoctor.facts import RangeTest

    with pytest.raises(KeyboardInterrupt):
        one.fact(RangeTest)
    assert len(made) == 4
    assert digest(given["model"]) == before[0]


def test_what_is_usual_is_told() -> None:
    told = usual(fit())
    assert (told.first, told.optimizer) == (1e-3, "Adam")
