"""Models of Keras 2, small ones, with faults where they are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
import transformers

from pipedoctor import frameworks
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline

GUILTY = (3, 7)
ROWS, FEATURES = 16, 4
FORMS = ("sequential", "functional", "subclassed", "own_step")


def pipeline(**parts: Any) -> Pipeline:
    held = Parts(frameworks.given(parts))
    return Pipeline(held, frameworks.probes(held))


def fine(x: Any) -> Any:
    return x


def data() -> tuple[Any, Any]:
    """Rows of which the guilty ones say so in their first column: by 1 instead of 0."""
    x = np.random.default_rng(0).uniform(0.5, 1.5, size=(ROWS, FEATURES)).astype("float32")
    x[:, 0] = 0.0
    x[list(GUILTY), 0] = 1.0
    return x, np.where(x[:, :1] > 0, 9.0, x.sum(1, keepdims=True)).astype("float32")


class Faulty(tf_keras.layers.Layer):  # type: ignore[misc]  # tf_keras is Any here
    """A weight of its own, so that something is to be learned before the fault, and then it."""

    def __init__(self, fault: Any) -> None:
        super().__init__(name="faulty")
        self.fault = fault

    def build(self, shape: Any) -> None:
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones", name="scale")

    def call(self, x: Any) -> Any:
        return self.fault(x * self.scale)


class Subclassed(tf_keras.Model):  # type: ignore[misc]  # as above
    """Without an argument that tells of training, as many are."""

    def __init__(self, fault: Any) -> None:
        super().__init__()
        self.faulty = Faulty(fault)
        self.last = tf_keras.layers.Dense(1, name="last")

    def call(self, x: Any) -> Any:
        return self.last(self.faulty(x))


class OwnStep(Subclassed):
    def train_step(self, rows: Any) -> Any:
        x, y = rows
        with tf.GradientTape() as tape:
            loss = self.compiled_loss(y, self(x))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return {"loss": loss}


def model(form: str, fault: Any = fine, **words: Any) -> Any:
    """Return a compiled model of this form with the fault in a layer."""
    tf_keras.utils.set_random_seed(1)
    layers = tf_keras.layers
    if form == "sequential":
        made = tf_keras.Sequential(
            [layers.InputLayer((FEATURES,)), Faulty(fault), layers.Dense(1, name="last")]
        )
    elif form == "functional":
        entry = tf_keras.Input((FEATURES,))
        both = layers.Concatenate()([Faulty(fault)(entry), entry])
        made = tf_keras.Model(entry, layers.Dense(1, name="last")(both))
    else:
        made = (Subclassed if form == "subclassed" else OwnStep)(fault)
    made.compile(**{"optimizer": "adam", "loss": "mse", **words})
    return made


def lent(labels: int = 3, **compiled: Any) -> Any:
    """Return a model of transformers."""
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
    made = transformers.TFDistilBertForSequenceClassification(config)
    made.compile(**{"optimizer": tf_keras.optimizers.Adam(1e-3), **compiled})
    return made


def held(model: Any) -> list[bytes]:
    """Return all that a fit changes in a model, as bytes."""
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    variables = optimizer.variables
    found = [*model.variables, *(variables() if callable(variables) else variables)]
    found += [variable for metric in model.metrics for variable in metric.variables]
    return [variable.numpy().tobytes() for variable in found]
