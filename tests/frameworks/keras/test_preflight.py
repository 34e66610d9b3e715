"""The callback that examines a fit when it starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from keras_fits import compiled, keras, pipeline, rows, sequential

from pipedoctor import NotReady, Severity
from pipedoctor.facts import LearningRate
from pipedoctor.keras import Preflight


def trained(*callbacks: Any, units: int = 3, **words: Any) -> dict[str, list[float]]:
    keras.utils.set_random_seed(5)
    x, y = rows()
    layers = [keras.layers.Dense(8, activation="relu"), keras.layers.Dropout(0.5)]
    last = keras.layers.Dense(units, activation="softmax")
    model = compiled(keras.Sequential([keras.Input((8,)), *layers, last]))
    given = {"epochs": 2, "verbose": 0, **words}
    history: dict[str, list[float]] = model.fit(x, y, callbacks=[*callbacks], **given).history
    return history


def test_a_ready_fit_trains_the_very_same(capsys: pytest.CaptureFixture[str]) -> None:
    callback = Preflight()
    assert trained(callback, validation_split=0.2) == trained(validation_split=0.2)
    assert callback.report is not None
    facts = {fact["fact"]: fact for fact in callback.report.facts}
    assert facts["Fit"]["rows"] == 80
    assert facts["Fit"]["validation"] == "split"
    assert "Ready to train" in capsys.readouterr().err


def test_the_callback_itself_is_no_reason_to_doubt_the_rate() -> None:
    x, y = rows()
    made = pipeline(sequential(), x=x, y=y, callbacks=[Preflight()])
    assert made.fact(LearningRate).value == 0.001


def test_one_that_is_not_ready_is_stopped_before_anything_is_trained() -> None:
    callback = Preflight()
    x, y = rows()
    model = sequential(2)
    before = [keras.ops.convert_to_numpy(one).tolist() for one in model.variables]
    with pytest.raises(NotReady, match="KER001 label-without-a-unit") as stopped:
        model.fit(x, y, callbacks=[callback], verbose=0)
    assert stopped.value.report.entries[0].rule.code == "KER001"
    assert [keras.ops.convert_to_numpy(one).tolist() for one in model.variables] == before


def test_unless_it_is_forced_or_only_graver_faults_stop_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stop = keras.callbacks.EarlyStopping(monitor="val_loss")
    with pytest.raises(NotReady, match="KER012"):
        trained(stop, Preflight())
    with pytest.warns(UserWarning, match="Early stopping conditioned on"):
        assert len(trained(stop, Preflight(force=True))["loss"]) == 2
    with pytest.warns(UserWarning, match="Early stopping conditioned on"):
        assert len(trained(stop, Preflight(fail_on=Severity.ERROR))["loss"]) == 2
    assert capsys.readouterr().err.count("KER012") == 2


def test_a_finding_has_the_line_of_the_fit() -> None:
    callback = Preflight(force=True)
    x, y = rows()
    order = y.argsort()
    sequential().fit(
        x[order],
        y[order],
        validation_split=0.34,
        callbacks=callback,
        verbose=0,
    )
    assert callback.report is not None
    (split,) = [entry for entry in callback.report.entries if entry.rule.code == "KER014"]
    assert split.finding is not None
    source = Path(__file__).read_text().splitlines()
    assert split.finding.where.line is not None
    assert "validation_split=0.34" in source[split.finding.where.line - 1]


def test_it_belongs_to_a_fit() -> None:
    callback = Preflight()
    callback.set_model(sequential())
    with pytest.raises(RuntimeError, match="called by a fit of Keras"):
        callback.on_train_begin()
