"""A model that the run saves whole is saved and loaded beforehand."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from keras_fits import compiled, keras, pipeline, rows, sequential
from keras_states import random_state, states

from pipedoctor import Unavailable
from pipedoctor.facts import Reload
from pipedoctor_checks.keras.saved_model_not_loadable import saved_model_not_loadable

L: Any = keras.layers


class Scale(L.Layer):  # type: ignore[misc]  # keras has no types
    """What Keras writes down by itself."""

    def __init__(self, by: Any = 2.0, **words: Any) -> None:
        super().__init__(**words)
        self.by = by

    def call(self, inputs: Any) -> Any:
        return inputs * 1.0 if callable(self.by) else inputs * self.by


@keras.saving.register_keras_serializable("tests")
class Registered(Scale):
    """One that Keras finds."""


class Forgetful(Scale):
    """Its config lacks what its constructor needs."""

    def __init__(self, by: float, **words: Any) -> None:
        super().__init__(by, **words)

    def get_config(self) -> dict[str, Any]:
        return {name: held for name, held in super().get_config().items() if name != "by"}


def own_loss(y: Any, answer: Any) -> Any:
    return keras.losses.sparse_categorical_crossentropy(y, answer)


def told(
    *layers: Any, file: str = "best.keras", weights_only: bool = False, **words: Any
) -> Reload:
    x, y = rows()
    last = L.Dense(3, activation="softmax")
    model = compiled(keras.Sequential([keras.Input((8,)), *layers, last]), **words)
    keep = keras.callbacks.ModelCheckpoint(file, save_weights_only=weights_only)
    return pipeline(model, x=x, y=y, callbacks=[keep]).fact(Reload)


@pytest.mark.parametrize("file", ["best.keras", "best.h5"])
def test_a_registered_layer_is_loaded(file: str) -> None:
    found = told(Registered(3.0), file=file)
    assert (found.writing, found.loading, found.differing) == ("", "", 0)
    assert found.own == ("Registered",)
    assert found.weights == 2
    assert list(saved_model_not_loadable(found, None)) == []


@pytest.mark.parametrize("file", ["best.keras", "best.h5"])
def test_one_that_keras_does_not_know_has_to_be_handed_over(file: str) -> None:
    found = told(Scale(3.0), file=file)
    assert found.loading
    assert found.told == ""
    (finding,) = saved_model_not_loadable(found, None)
    assert 'custom_objects={"Scale": Scale}' in finding.remedy
    assert finding.severity is not None
    assert finding.severity.name == "NOTE"


def test_functions_of_the_users_own_too() -> None:
    found = told(L.Dense(4, activation=own_activation), loss=own_loss)
    assert set(found.unknown) == {"own_loss", "own_activation"}
    assert found.told == ""


def own_activation(inputs: Any) -> Any:
    return inputs * 2


def test_what_can_not_be_written_stops_the_fit_after_an_epoch() -> None:
    found = told(Scale(lambda inputs: inputs))
    (finding,) = saved_model_not_loadable(found, None)
    assert finding.severity is not None
    assert finding.severity.name == "ERROR"
    assert "can't write it: NotImplementedError: Object Scale was created" in finding.message
    assert "get_config" in finding.remedy


def test_a_config_that_does_not_make_the_layer_again() -> None:
    found = told(Forgetful(3.0))
    assert found.told
    (finding,) = saved_model_not_loadable(found, None)
    assert "no load_model can load it" in finding.message
    assert "'by'" in finding.message


def test_a_lambda_is_loaded_by_who_trusts_the_file() -> None:
    found = told(L.Lambda(lambda inputs: inputs * 2, output_shape=(8,)))
    assert found.lambdas
    assert found.told == ""
    (finding,) = saved_model_not_loadable(found, None)
    assert "safe_mode=False" in finding.remedy


def test_only_where_the_whole_model_of_ones_own_is_saved() -> None:
    with pytest.raises(Unavailable, match="nobody saves the whole model"):
        told(Scale(), file="best.weights.h5", weights_only=True)
    with pytest.raises(Unavailable, match="made of Keras' own layers"):
        told()


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    x, y = rows()
    model = sequential()
    model.add(Scale())
    before, name = states(compiled(model)), L.Dense(1).name
    chance = random_state()
    stem, _, number = name.rpartition("_")
    keep = keras.callbacks.ModelCheckpoint("best.keras")
    pipeline(model, x=x, y=y, callbacks=[keep]).fact(Reload)
    assert random_state() == chance
    assert states(model) == before
    assert L.Dense(1).name == f"{stem}_{int(number) + 1}"
    assert os.listdir(tmp_path) == []
