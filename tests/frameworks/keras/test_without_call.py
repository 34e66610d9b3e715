"""Models that only their train_step runs, as Keras' guides write a VAE and a GAN: no call()."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from keras_fits import BACKEND, Subclassed, compiled, keras, pipeline, rows
from keras_states import random_state, states

import pipedoctor
from pipedoctor import Severity, Split, Unavailable
from pipedoctor.facts import Compiled, Forward, Gradients, Layers, Model, Outputs
from pipedoctor.frameworks.fitting.building import Ready
from pipedoctor.frameworks.fitting.own_step import NO_CALL
from pipedoctor.pipeline import ProbeFailed

pytestmark = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="torch and JAX call the model before its step"
)


class Vae(keras.Model):
    """Two models in attributes, one optimizer, a loss of its own under another name."""

    def __init__(self, *, built: bool) -> None:
        super().__init__()
        start = [keras.Input((8,))] if built else []
        middle = [keras.Input((2,))] if built else []
        self.encoder = keras.Sequential([*start, keras.layers.Dense(2)])
        self.decoder = keras.Sequential([*middle, keras.layers.Dense(8)])
        self.tracker = keras.metrics.Mean(name="total_loss")

    @property
    def metrics(self) -> list[Any]:
        return [self.tracker]

    def train_step(self, data: Any) -> Any:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss = keras.ops.mean(keras.ops.square(self.decoder(self.encoder(data)) - data))
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        self.tracker.update_state(loss)
        return {"total_loss": self.tracker.result()}


class Gan(keras.Model):
    """Two optimizers that compile is given under names of its own, one for each model."""

    def __init__(self, *, built: bool) -> None:
        super().__init__()
        start = [keras.Input((8,))] if built else []
        middle = [keras.Input((4,))] if built else []
        self.critic = keras.Sequential(
            [*start, keras.layers.BatchNormalization(momentum=0.5), keras.layers.Dense(1)]
        )
        self.maker = keras.Sequential([*middle, keras.layers.Dense(8)])
        self.seeds = keras.random.SeedGenerator(1)

    def compile(self, critics: Any, makers: Any) -> None:
        super().compile()
        self.critics, self.makers = critics, makers

    def train_step(self, data: Any) -> Any:
        import tensorflow as tf

        losses = {}
        for name, part, optimizer in (
            ("critic_loss", self.critic, self.critics),
            ("maker_loss", self.maker, self.makers),
        ):
            with tf.GradientTape() as tape:
                noise = keras.random.normal((keras.ops.shape(data)[0], 4), seed=self.seeds)
                made = self.critic(self.maker(noise), training=True)
                loss = keras.ops.mean(made)
                if part is self.critic:
                    loss -= keras.ops.mean(self.critic(data, training=True))
            gradients = tape.gradient(loss, part.trainable_weights)
            optimizer.apply_gradients(zip(gradients, part.trainable_weights, strict=True))
            losses[name] = loss
        return losses


def vae(*, built: bool) -> Any:
    model = Vae(built=built)
    model.compile(optimizer=keras.optimizers.Adam())
    return model


def gan(*, built: bool) -> Any:
    model = Gan(built=built)
    model.compile(keras.optimizers.Adam(1e-4), keras.optimizers.Adam(1e-4))
    return model


@pytest.mark.parametrize("built", [True, False], ids=["built", "unbuilt"])
@pytest.mark.parametrize(("make", "weights"), [(vae, 4), (gan, 6)], ids=["vae", "gan"])
def test_its_own_step_tells_the_gradients_and_what_needs_a_call_is_skipped(
    make: Any, weights: int, built: bool
) -> None:
    model, x = make(built=built), rows()[0]
    given = pipeline(model, x=x)
    ready = given.fact(Ready)
    assert ready.built is built
    before, chance = states(model), random_state()
    assert len(given.fact(Gradients).of) == weights
    assert given.fact(Gradients).connected
    assert len(given.fact(Model).parameters) >= weights
    assert given.fact(Compiled).own_train_step
    given.fact(Layers)
    for fact, words in ((Outputs, ()), (Forward, (Split.TRAIN,))):
        with pytest.raises(Unavailable) as caught:
            given.fact(fact, *words)
        assert str(caught.value) == NO_CALL
    assert (states(model), random_state()) == (before, chance)
    assert not model.optimizer.built
    assert not any(isinstance(m.failure, ProbeFailed) for m in given.measurements.values())
    model.fit(x, epochs=1, verbose=0)  # which goes on as ever
    assert states(model) != before


@pytest.mark.parametrize("make", [vae, gan])
def test_nothing_is_found_and_training_may_start(make: Any) -> None:
    model, x = make(built=True), rows(400)[0]
    report = pipedoctor.examine(model=model, x=x, epochs=3)
    assert report.ok(Severity.WARNING), report
    assert report.ready


def test_a_call_that_the_step_does_not_make_is_no_fault() -> None:
    class Drawing(Vae):
        def call(self, latent: Any) -> Any:
            return self.decoder(latent)

    model, x = Drawing(built=True), rows()[0]
    model.compile(optimizer="adam")
    given = pipeline(model, x=x)
    with pytest.raises(Unavailable, match="can't be called on the batch"):
        given.fact(Forward, Split.TRAIN)
    assert given.fact(Gradients).connected
    assert not any(isinstance(m.failure, ProbeFailed) for m in given.measurements.values())


def test_layers_without_weights_get_their_shapes_from_the_step_alone() -> None:
    class Drawing(Vae):
        def call(self, latent: Any) -> Any:
            return self.decoder(latent)

    model, x = Drawing(built=False), rows()[0]
    model.compile(optimizer="adam")
    pipeline(model, x=x).fact(Ready)
    assert [tuple(v.shape) for v in model.decoder.weights] == [(2, 8), (8,)]


def test_a_step_that_fails_is_still_told() -> None:
    class Broken(Vae):
        def train_step(self, data: Any) -> Any:
            raise ZeroDivisionError("by hand")

    model = Broken(built=False)
    model.compile(optimizer="adam")
    with pytest.raises(ProbeFailed, match="by hand"):
        pipeline(model, x=rows()[0]).fact(Ready)


def test_a_step_that_is_not_to_be_traced_is_not() -> None:
    model = vae(built=False)
    model.run_eagerly = True
    with pytest.raises(Unavailable, match="run_eagerly"):
        pipeline(model, x=rows()[0]).fact(Ready)


def test_neither_a_call_nor_a_step_is_an_error_of_the_users() -> None:
    class Neither(keras.Model):
        pass

    x, y = rows()
    model = compiled(Neither())
    with pytest.raises(ProbeFailed, match="call"):
        pipeline(model, x=x, y=y).fact(Forward, Split.TRAIN)


def test_held_out_data_needs_the_call_that_the_usual_test_step_makes() -> None:
    model, x = vae(built=True), rows()[0]
    given = pipeline(model, x=x, validation_data=(x, np.zeros(len(x))))
    with pytest.raises(ProbeFailed, match="call"):
        given.fact(Forward, Split.EVAL)


def test_an_own_step_with_a_call_is_built_as_before() -> None:
    class Handing(Subclassed):
        def train_step(self, *words: Any) -> Any:
            return super().train_step(*words)

    x, y = rows()
    model = compiled(Handing(ends="softmax"))
    given = pipeline(model, x=x, y=y)
    assert not given.fact(Ready).built
    assert model.built
    assert given.fact(Forward, Split.TRAIN).outputs
    assert given.fact(Gradients).connected
