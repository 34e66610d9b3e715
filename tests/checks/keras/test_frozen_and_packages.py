import pytest
from facts import outcome

from pipedoctor_checks.keras.tensorflow_models_need_keras_two import (
    tensorflow_models_need_keras_two as packages,
)
from pipedoctor_checks.keras.whole_model_frozen import whole_model_frozen as frozen

BUILD = "import keras\nmodel = keras.Sequential([keras.layers.Dense(2)])\n"
REST = "model.compile(loss='mse')\nmodel.fit(x, y)\n"


def test_a_whole_model_is_frozen_and_fitted():
    (finding,) = outcome(frozen, script=f"{BUILD}model.trainable = False\n{REST}").findings
    assert finding.evidence == {"frozen": 3, "fit": 5}


@pytest.mark.parametrize(
    "text",
    [
        f"{BUILD}model.trainable = True\n{REST}",
        f"{BUILD}model.trainable = not tune\n{REST}",
        f"{BUILD}if frozen:\n    model.trainable = False\n{REST}",
        f"{BUILD}model.trainable = False\nmodel.layers[-1].trainable = True\n{REST}",
        f"{BUILD}{REST}model.trainable = False\n",
        f"{BUILD}model.trainable = False\nmodel = keras.Sequential([model, head])\n{REST}",
    ],
)
def test_something_may_be_left_to_train(text):
    assert not outcome(frozen, script=text).findings


TF = "from transformers import {0}\nmodel = {0}.from_pretrained('m')\n"
MACHINE = {"transformers": "4.57.6", "tensorflow": "2.19", "keras": "3.10.0", "tf_keras": None}


def told(name="TFAutoModel", **versions):
    return outcome(packages, script=TF.format(name), environment={**MACHINE, **versions}).findings


def test_keras_three_alone():
    assert [finding.remedy for finding in told()] == ["pip install tf-keras"]


@pytest.mark.parametrize(
    "versions",
    [
        {"tf_keras": "2.19.0"},
        {"keras": "2.15.0"},
        {"transformers": "5.23.0"},
        {"transformers": "4.30.0"},
        {"tensorflow": None},
        {"name": "AutoModel"},
        {"name": "TFkit"},
    ],
)
def test_nothing_is_missing_or_it_is_another_matter(versions):
    assert not told(**versions)
