"""
What becomes of the faults of a chapter of a course on TensorFlow models, with the last ones.

The texts about it tell of NaN and of missing gradients. Here is what transformers 4.57 does on a
CPU with TensorFlow 2.21 and tf-keras: most of it trains, on the wrong loss.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest

BY_NAME = "sparse_categorical_crossentropy"


@dataclass
class Fit:
    """What came of two epochs."""

    losses: list[float]
    rate: float
    with_nan: list[bool]
    """Of each variable of the model."""


@pytest.fixture
def model(tf_keras: Any) -> Any:
    import transformers

    def build(labels: int = 3) -> Any:
        tf_keras.utils.set_random_seed(0)
        config = transformers.DistilBertConfig(
            vocab_size=50,
            dim=16,
            n_layers=1,
            n_heads=2,
            hidden_dim=16,
            max_position_embeddings=16,
            num_labels=labels,
        )
        return transformers.TFDistilBertForSequenceClassification(config)

    return build


def fit(model: Any, x: Any, y: Any = None, optimizer: Any = "adam", **compiled: Any) -> Fit:
    import numpy as np

    model.compile(optimizer, **compiled)
    losses = model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0).history["loss"]
    with_nan = [bool(np.isnan(value).any()) for value in model.get_weights()]
    return Fit(losses, float(model.optimizer.learning_rate), with_nan)


def test_the_environment_is_the_one_that_is_meant(model: Any, tf_keras: Any) -> None:
    import keras
    import transformers

    assert transformers.__version__.startswith("4.57.")
    assert keras.__version__.startswith("3.")
    assert isinstance(model(), tf_keras.Model)
    assert not isinstance(model(), keras.Model)


@pytest.mark.smoke
def test_labels_among_the_inputs_and_the_loss_of_the_model(model: Any, rows: Any) -> None:
    done = fit(model(), rows)
    assert done.losses[0] == pytest.approx(math.log(3), abs=0.05)
    assert done.losses[1] < done.losses[0]
    assert done.rate == pytest.approx(1e-3)
    assert not any(done.with_nan)


@pytest.mark.smoke
def test_a_loss_by_its_name_takes_logits_for_probabilities(model: Any, rows: Any) -> None:
    """No error, and no word about gradients: labels among the inputs are found by the model."""
    done = fit(model(), rows, loss=BY_NAME)
    assert done.losses[0] > 1.5 * math.log(3)


def test_labels_beside_the_inputs_and_a_loss_by_its_name(model: Any, rows: Any) -> None:
    apart = fit(model(), {"input_ids": rows["input_ids"]}, rows["labels"], loss=BY_NAME)
    assert apart.losses == pytest.approx(fit(model(), rows, loss=BY_NAME).losses, rel=1e-5)


def test_a_loss_on_logits_is_that_of_the_model(model: Any, rows: Any, tf_keras: Any) -> None:
    loss = tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    assert fit(model(), rows, loss=loss).losses == pytest.approx(
        fit(model(), rows).losses, rel=1e-5
    )


@pytest.mark.parametrize("loss", [None, BY_NAME])
def test_two_outputs_for_three_labels(model: Any, rows: Any, loss: str | None) -> None:
    import tensorflow as tf

    refused = r"Received a label value of 2 which is outside the valid range of \[0, 2\)"
    with pytest.raises(tf.errors.InvalidArgumentError, match=refused):
        fit(model(2), rows, **({"loss": loss} if loss else {}))


def test_two_outputs_for_three_labels_in_a_compiled_step(model: Any, rows: Any) -> None:
    done = fit(model(2), rows, jit_compile=True)
    assert all(map(math.isnan, done.losses))
    assert all(done.with_nan)


def test_no_labels_at_all(model: Any, rows: Any) -> None:
    alone = {"input_ids": rows["input_ids"]}
    with pytest.raises(ValueError, match="Could not find label column"):
        fit(model(), alone, loss=BY_NAME)
    with pytest.raises(TypeError, match=r"Argument `target` should be .* but received None"):
        fit(model(), alone)


def test_an_optimizer_of_keras_three_is_refused(model: Any, rows: Any) -> None:
    import keras

    with pytest.raises(ValueError, match="Could not interpret optimizer identifier"):
        fit(model(), rows, optimizer=keras.optimizers.Adam(5e-5))


def test_what_is_saved(model: Any, rows: Any, tmp_path: Any) -> None:
    trained = model()
    fit(trained, rows)
    trained.save_pretrained(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "tf_model.h5"]


def test_rows_of_a_hub_data_set(model: Any, rows: Any) -> None:
    """`to_tf_dataset` is the way of the course."""
    import datasets

    plain = datasets.Dataset.from_dict({name: list(column) for name, column in rows.items()})
    made = plain.to_tf_dataset(batch_size=4, columns=["input_ids", "labels"], shuffle=False)
    trained = model()
    trained.compile("adam")
    losses = trained.fit(made, epochs=2, verbose=0).history["loss"]
    assert losses == pytest.approx(fit(model(), rows).losses, rel=1e-5)


OPTIMIZERS = """
import json
from transformers import TFDistilBertForSequenceClassification
import tensorflow as tf
by_attribute = tf.keras.optimizers.Adam.__module__
from tensorflow.keras.optimizers import Adam
print(json.dumps([by_attribute, Adam.__module__]))
"""


@pytest.mark.parametrize("stated", [None, "1"])
def test_what_is_imported_from_tensorflow_keras_is_keras_three(stated: str | None) -> None:
    """
    The class of the course's own line, `from tensorflow.keras.optimizers import Adam`, is refused.

    transformers sets TF_USE_LEGACY_KERAS too late for it; as an attribute of `tf` it is right.
    """
    # Importing transformers has set it in this process too.
    environment = {k: v for k, v in os.environ.items() if k != "TF_USE_LEGACY_KERAS"}
    environment |= {"TF_USE_LEGACY_KERAS": stated} if stated else {}
    words = [sys.executable, "-c", OPTIMIZERS]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    legacy, three = "tf_keras.src.optimizers.adam", "keras.src.optimizers.adam"
    assert json.loads(done.stdout) == [legacy, legacy if stated else three]
