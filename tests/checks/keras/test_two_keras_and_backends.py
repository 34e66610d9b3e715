"""Objects of two Keras in one script, and a backend that is not installed."""

import pytest
from facts import outcome

from pipedoctor_checks.keras.backend_not_installed import backend_not_installed
from pipedoctor_checks.keras.objects_of_two_keras import objects_of_two_keras

BOTH = {"transformers": "4.57.6", "tensorflow": "2.19.0", "keras": "3.10.0", "tf_keras": "2.19.0"}
SECOND = "import keras\nimport tf_keras\nmodel = tf_keras.Sequential([tf_keras.layers.Dense(2)])\n"
THIRD = "import keras\nimport tf_keras\nmodel = keras.Sequential([keras.layers.Dense(2)])\n"
HUGGING = (
    "from tensorflow.keras.optimizers import Adam\n"
    "from transformers import TFAutoModel\n"
    "model = TFAutoModel.from_pretrained('m')\n"
)


def two(text, *, variables=None, **versions):
    machine = {**BOTH, "variables": variables or {}, **versions}
    return outcome(objects_of_two_keras, script=text, environment=machine).findings


@pytest.mark.parametrize(
    ("text", "line", "remedy"),
    [
        (
            f"{SECOND}model.compile(keras.optimizers.Adam(1e-3))\n",
            4,
            "tf_keras.optimizers.Adam(…)",
        ),
        (
            f"{THIRD}model.compile(optimizer=tf_keras.optimizers.SGD())\n",
            4,
            "keras.optimizers.SGD(…)",
        ),
        (f"{HUGGING}model.compile(optimizer=Adam(5e-5))\n", 4, "tf_keras.optimizers.Adam(…)"),
        (
            f"{SECOND}best = keras.optimizers.Adam()\nmodel.compile(optimizer=best)\n",
            5,
            "tf_keras.optimizers.Adam(…)",
        ),
    ],
    ids=["second", "third", "transformers", "by-name"],
)
def test_an_optimizer_of_the_other_keras(text, line, remedy):
    (finding,) = two(text)
    assert finding.where.line == line
    assert remedy in finding.remedy
    assert {finding.evidence["model"], finding.evidence["optimizer"]} != {None}


def test_what_an_import_of_tensorflow_gives_is_changed_by_a_variable():
    text = f"{HUGGING}model.compile(optimizer=Adam(5e-5))\n"
    (finding,) = two(text)
    assert finding.alternatives == ("TF_USE_LEGACY_KERAS=1, set before Python starts",)
    assert not two(text, variables={"TF_USE_LEGACY_KERAS": "1"})
    assert not two(f"import os\nos.environ['TF_USE_LEGACY_KERAS'] = '1'\n{text}")


@pytest.mark.parametrize(
    "text",
    [
        f"{SECOND}model.compile(tf_keras.optimizers.Adam(1e-3))\n",
        f"{THIRD}model.compile(keras.optimizers.Adam(1e-3))\n",
        f"{THIRD}model.compile('adam')\n",
        f"{SECOND}model.compile(optimizer=chosen(keras))\n",
        f"{SECOND}model.compile()\n",
        f"{SECOND}other.compile(keras.optimizers.Adam())\n",
        "import tensorflow as tf\nm = tf.keras.Sequential()\nm.compile(tf.keras.optimizers.Adam())\n",
    ],
    ids=["second", "third", "text", "unknown", "none", "stranger", "attribute"],
)
def test_one_keras_or_nothing_that_is_known(text):
    assert not two(text)


def test_without_both_there_is_nothing_to_mix():
    text = f"{SECOND}model.compile(keras.optimizers.Adam(1e-3))\n"
    assert not two(text, tf_keras=None)
    assert not two(text, keras="2.15.0")


FIT = "import keras\nmodel = keras.Sequential([keras.layers.Dense(1)])\n"


def backend(text=FIT, name="jax", **versions):
    machine = {"keras": "3.10.0", "jax": None, "torch": None, "tensorflow": "2.19.0"}
    machine |= {"variables": {"KERAS_BACKEND": name} if name else {}, **versions}
    return outcome(backend_not_installed, script=text, environment=machine).findings


def test_the_variable_names_what_is_not_there():
    (finding,) = backend()
    assert finding.remedy == "pip install jax"
    assert finding.where.line == 1
    assert finding.alternatives == ()
    (finding,) = backend(torch="2.9.0")
    assert finding.alternatives == ("KERAS_BACKEND=torch",)


def test_the_script_names_it_and_decides_over_the_variable():
    text = f"import os\nos.environ['KERAS_BACKEND'] = 'torch'\n{FIT}"
    (finding,) = backend(text, name="tensorflow")
    assert finding.remedy == "pip install torch"
    assert finding.where.line == 3
    assert not backend(text, name="jax", torch="2.9.0")


@pytest.mark.parametrize(
    ("text", "name", "versions"),
    [
        (FIT, "jax", {"jax": "0.7.0"}),
        (FIT, "", {}),
        (FIT, "tensorflow", {"tensorflow": None}),  # it comes under other names as well
        (FIT, "mine", {}),
        (FIT, "jax", {"keras": "2.15.0"}),
        ("import tf_keras\nmodel = tf_keras.Sequential()\n", "jax", {}),
    ],
    ids=["there", "unstated", "tensorflow", "other", "second", "tf_keras"],
)
def test_nothing_is_missing(text, name, versions):
    assert not backend(text, name, **versions)
