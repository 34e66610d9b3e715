"""
Faults for models of Keras, each in one layer, or in a loss of the user's own.

The guilty line ends with `# HERE`; the guilty rows of the batch are those of `GUILTY`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras_fits import BACKEND, keras, pipeline

from pipedoctor.facts import Trace

ops = keras.ops

GUILTY = (3, 7)
ROWS, FEATURES = 16, 4
FORMS = ("sequential", "functional", "subclassed", "own_step")


def data() -> tuple[Any, Any]:
    """Rows of which the guilty ones say so in their first column: by 1 instead of 0."""
    x = np.random.default_rng(0).uniform(0.5, 1.5, size=(ROWS, FEATURES)).astype("float32")
    x[:, 0] = 0.0
    x[list(GUILTY), 0] = 1.0
    return x, np.where(x[:, :1] > 0, 9.0, x.sum(1, keepdims=True)).astype("float32")


def safe(x: Any) -> Any:
    """Return 1 in good rows and 0 in guilty ones."""
    dtype = keras.backend.standardize_dtype(x.dtype)
    return 1.0 - ops.cast(x[:, :1], "float32" if dtype == "bool" else dtype)


def log(x: Any) -> Any:
    return x * ops.log(safe(x))  # HERE


def divided(x: Any) -> Any:
    return x / safe(x)  # HERE


def exponential(x: Any) -> Any:
    return ops.exp(100.0 * (1.0 - safe(x)))  # HERE


def negative_root(x: Any) -> Any:
    return x + ops.sqrt(safe(x) - 0.5)  # HERE


def masked(x: Any) -> Any:
    return x + ops.softmax(ops.where(safe(x) > 0, x, -float("inf")))  # HERE


def root(x: Any) -> Any:
    return x + ops.sqrt(ops.sum(ops.square(x * safe(x)), axis=-1, keepdims=True))  # HERE


def hidden(x: Any) -> Any:
    logarithm = ops.log(safe(x) * ops.abs(x[:, 1:2]))  # HERE
    return x + ops.where(safe(x) > 0, logarithm, 0.0)


def fine(x: Any) -> Any:
    return x


def distance(true: Any, told: Any) -> Any:
    far = ops.sum(ops.square((told - true) * safe(true > 8)), axis=-1)
    return ops.sqrt(far)  # HERE


def ratio(true: Any, told: Any) -> Any:
    return ops.mean(ops.square(told - true) / (1 - ops.cast(true > 8, "float32")), -1)  # HERE


@dataclass(frozen=True)
class Fault:
    name: str
    layer: Callable[[Any], Any]
    when: str
    family: str
    """The family of what is to blame: the origin, or the infinity that it is made from."""

    loss: Any = "mse"


FAULTS = (
    Fault("log", log, "forward", "log-of-zero"),
    Fault("division", divided, "forward", "division-by-zero"),
    Fault("exp", exponential, "forward", "exp-overflows"),
    Fault("negative-root", negative_root, "forward", "root-of-a-negative-number"),
    Fault("all-masked", masked, "forward", "nothing-but-masked"),
    Fault("root", root, "backward", "root-has-no-slope-at-zero"),
    Fault("where", hidden, "backward", "where-does-not-shield-the-gradient"),
    Fault("loss-root", fine, "backward", "root-has-no-slope-at-zero", distance),
    Fault("loss-division", fine, "forward", "division-by-zero", ratio),
)


class Faulty(keras.layers.Layer):  # type: ignore[misc]  # keras is Any here
    """A weight of its own, so that something is to be learned before the fault, and then it."""

    def __init__(self, fault: Callable[[Any], Any], **words: Any) -> None:
        super().__init__(name="faulty", **words)
        self.fault = fault

    def build(self, shape: Any) -> None:
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones", name="scale")

    def call(self, x: Any) -> Any:
        return self.fault(x * self.scale)


class Subclassed(keras.Model):  # type: ignore[misc]  # as above
    def __init__(self, fault: Callable[[Any], Any]) -> None:
        super().__init__()
        self.faulty = Faulty(fault)
        self.drop = keras.layers.GaussianNoise(0.01)
        self.last = keras.layers.Dense(1)

    def call(self, x: Any, training: bool = False) -> Any:
        return self.last(self.drop(self.faulty(x), training=training))


class OwnStep(Subclassed):
    """Trains as the guides of Keras have it."""

    def train_step(self, *words: Any) -> Any:
        if BACKEND == "jax":
            return super().train_step(*words)
        x, y = words[0]
        if BACKEND == "torch":
            self.zero_grad()
            loss = self.compute_loss(y=y, y_pred=self(x, training=True))
            loss.backward()
            variables = list(self.trainable_weights)
            self.optimizer.apply([v.value.grad for v in variables], variables)
            return {"loss": loss}
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss = self.compute_loss(y=y, y_pred=self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return {"loss": loss}


def model(form: str, fault: Callable[[Any], Any] = fine, **words: Any) -> Any:
    """Return a compiled model of this form with the fault in a layer."""
    keras.utils.set_random_seed(1)
    if form == "sequential":
        made = keras.Sequential(
            [keras.Input((FEATURES,)), Faulty(fault), keras.layers.Dense(1, name="last")]
        )
    elif form == "functional":
        entry = keras.Input((FEATURES,))
        both = keras.layers.Concatenate()([Faulty(fault)(entry), entry])
        made = keras.Model(entry, keras.layers.Dense(1, name="last")(both))
    else:
        made = (Subclassed if form == "subclassed" else OwnStep)(fault)
    made.compile(**{"optimizer": "adam", "loss": "mse", **words})
    return made


def traced(model: Any, **words: Any) -> Trace:
    """Return what nan-trace finds; `trace` says how far it goes."""
    trace = words.pop("trace", {"batches": 1})
    return pipeline(model, trace=trace, batch_size=ROWS, **words).fact(Trace)


def verify(trace: Trace, fault: Fault) -> None:
    """Hold what was found against what is wrong."""
    assert trace.origin is not None
    assert trace.root is not None
    blamed = trace.origin if trace.root.intended else trace.root
    assert trace.origin.when == fault.when
    assert blamed.family == fault.family
    assert blamed.where.source is not None
    assert blamed.where.source.endswith("# HERE")
    assert trace.rows == GUILTY
    named = blamed.module.split("/")[-1]
    assert named == ("faulty" if fault.loss == "mse" else fault.loss.__name__)
