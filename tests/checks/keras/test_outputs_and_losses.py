"""The last layer of a Keras model against its loss and labels: KER002, 3, 4, 7 and 15."""

import pytest
from facts import outcome

from pipedoctor.finding import Severity
from pipedoctor_checks.keras.categorical_loss_on_one_unit import (
    categorical_loss_on_one_unit as one_unit,
)
from pipedoctor_checks.keras.default_rate_on_pretrained_transformer import (
    default_rate_on_pretrained_transformer as rate,
)
from pipedoctor_checks.keras.labels_in_another_form import labels_in_another_form as labels
from pipedoctor_checks.keras.loss_and_output_disagree_on_logits import (
    loss_and_output_disagree_on_logits as logits,
)
from pipedoctor_checks.keras.softmax_on_one_unit import softmax_on_one_unit as softmax

HEAD = """import keras, tensorflow as tf
from tensorflow import keras as tk
from tensorflow.keras import layers, Sequential, Model
from keras.layers import Dense
"""
LAST = "Dense(10, {})"
LOSS = "m.compile('adam', {})\n"
SPARSE = "'sparse_categorical_crossentropy'"


def found(check, text):
    return outcome(check, script=HEAD + text).findings


BUILT = [
    "m = keras.Sequential([Dense(4), {}])\n",
    "m = keras.Sequential()\nm.add(Dense(4))\nm.add({})\n",
    "parts = [Dense(4), {}]\nm = tk.models.Sequential(parts)\n",
    "i = keras.Input((3,))\no = {}(i)\nm = keras.Model(i, o)\n",
    "def make():\n    m = Sequential([{}])\n    return m\nm = make()\n",
    (
        "class Net(keras.Model):\n    def __init__(self):\n        super().__init__()\n        self.o = {}\n"
        "    def call(self, x):\n        return self.o(x)\nm = Net()\n"
    ),
]


@pytest.mark.parametrize("built", BUILT)
def test_scores_for_a_loss_of_probabilities_however_the_model_is_built(built):
    (finding,) = found(logits, built.format("Dense(10)") + LOSS.format(SPARSE))
    assert finding.remedy == "loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)"
    assert finding.severity is None


@pytest.mark.parametrize("built", BUILT)
def test_probabilities_for_a_loss_of_probabilities(built):
    text = built.format("Dense(10, activation='softmax')") + LOSS.format(SPARSE)
    assert found(logits, text) == ()


def test_probabilities_for_a_loss_of_scores_warn():
    text = BUILT[0].format("Dense(10, 'softmax')") + LOSS.format(
        "loss=tk.losses.CategoricalCrossentropy(from_logits=True)"
    )
    (finding,) = found(logits, text)
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(
    "text",
    [
        BUILT[0].format("Dense(10)") + LOSS.format("'mse'"),
        BUILT[0].format("Dense(10)") + LOSS.format("loss=mine"),
        BUILT[0].format("Dense(10, activation=chosen)") + LOSS.format(SPARSE),
        BUILT[0].format("Dense(10), layers.Softmax()") + LOSS.format(SPARSE),
        BUILT[0].format("Dense(10), layers.Activation('softmax')") + LOSS.format(SPARSE),
        BUILT[0].format("Dense(10, tf.nn.softmax)") + LOSS.format(SPARSE),
        BUILT[1].format("Dense(10)")
        + "if soft:\n    m.add(layers.Softmax())\n"
        + LOSS.format(SPARSE),
        BUILT[0].format("Mine(10)") + LOSS.format(SPARSE),
        BUILT[3].format("Dense(10)").replace("(i, o)", "(i, [o, o])") + LOSS.format(SPARSE),
        BUILT[0].format("Dense(10)")
        + LOSS.format("keras.losses.BinaryCrossentropy(from_logits=not probabilities)"),
    ],
)
def test_what_is_not_known_or_fits(text):
    assert found(logits, text) == ()


@pytest.mark.parametrize("last", ["Dense(1, 'softmax')", "Dense(1), layers.Activation('softmax')"])
def test_softmax_on_one_unit(last):
    (finding,) = found(softmax, BUILT[0].format(last) + LOSS.format("'binary_crossentropy'"))
    assert finding.evidence["units"] == 1


@pytest.mark.parametrize(
    "last", ["Dense(2, 'softmax')", "Dense(1, 'sigmoid')", "Dense(n, 'softmax')"]
)
def test_other_outputs(last):
    assert found(softmax, BUILT[0].format(last) + LOSS.format("'binary_crossentropy'")) == ()


def test_one_unit_with_a_loss_for_several_classes():
    text = BUILT[0].format("Dense(1, 'sigmoid')")
    assert found(one_unit, text + LOSS.format("'categorical_crossentropy'"))
    assert found(one_unit, text + LOSS.format("'binary_crossentropy'")) == ()
    several = BUILT[0].format("Dense(2, 'sigmoid')")
    assert found(one_unit, several + LOSS.format("'categorical_crossentropy'")) == ()


ONE_HOT = "y = keras.utils.to_categorical(labels, num_classes={})\n"
FIT = "m.fit(x, y)\n"


def test_one_hot_labels_with_a_loss_for_numbers():
    text = ONE_HOT.format(10) + BUILT[0].format("Dense(10, 'softmax')") + LOSS.format(SPARSE) + FIT
    (finding,) = found(labels, text)
    assert finding.remedy == "'categorical_crossentropy' as the loss"


def test_classes_and_units_differ():
    fits = ONE_HOT.format(10) + BUILT[0] + LOSS.format("'categorical_crossentropy'") + FIT
    (finding,) = found(labels, fits.format("Dense(7, 'softmax')"))
    assert (finding.evidence["classes"], finding.evidence["units"]) == (10, 7)
    assert found(labels, fits.format("Dense(10, 'softmax')")) == ()


def test_labels_that_are_made_otherwise():
    text = "y = pick(keras.utils.to_categorical(z, 10))\n" + BUILT[0] + LOSS.format(SPARSE) + FIT
    assert found(labels, text.format("Dense(10, 'softmax')")) == ()


HUB = "import keras_hub\nm = keras_hub.models.BertTextClassifier.from_preset('b', num_classes=2)\n"


def test_an_optimizer_that_is_named_by_a_text():
    (finding,) = found(rate, HUB + LOSS.format(SPARSE))
    assert finding.remedy == "optimizer=keras.optimizers.Adam(5e-5)"


@pytest.mark.parametrize(
    "text",
    [
        HUB + "m.compile(keras.optimizers.Adam(5e-5))",
        HUB + "m.backbone.trainable = False\nm.compile('adam')",
        BUILT[0].format("Dense(2)") + "m.compile('adam')",
        HUB + "m.compile('sgd')",
    ],
)
def test_rates_that_are_not_known_to_be_too_high(text):
    assert found(rate, text) == ()
