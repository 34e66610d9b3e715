"""A training step of one's own on JAX: it gets all state and gives it back, and so do we."""

from __future__ import annotations

from typing import Any

import pytest
from keras_fits import BACKEND, Subclassed, compiled, pipeline, rows
from keras_states import states

from pipedoctor import Unavailable
from pipedoctor.facts import Gradients

pytestmark = pytest.mark.skipif(BACKEND != "jax", reason="only jax hands a step its state")


class Stepping(Subclassed):
    """What Keras' guide writes: the loss differentiated, the optimizer without state."""

    def __init__(self, *, by_hand: bool = False) -> None:
        super().__init__(ends="softmax")
        self.by_hand = by_hand

    def loss_and_updates(
        self, trainable: Any, other: Any, x: Any, y: Any, training: bool
    ) -> tuple[Any, Any]:
        answer, other = self.stateless_call(trainable, other, x, training=training)
        return self.compute_loss(x, y, answer), other

    def train_step(self, state: Any, data: Any) -> Any:
        import jax

        trainable, other, optimizer, metrics = state
        x, y = data
        function = jax.value_and_grad(self.loss_and_updates, has_aux=True)
        (loss, other), grads = function(trainable, other, x, y, True)
        if self.by_hand:
            trainable = [a - 0.1 * b for a, b in zip(trainable, grads, strict=True)]
        else:
            trainable, optimizer = self.optimizer.stateless_apply(optimizer, grads, trainable)
        return {"loss": loss}, (trainable, other, optimizer, metrics)


class Handing(Subclassed):
    """One that does nothing of its own."""

    def train_step(self, *words: Any) -> Any:
        return super().train_step(*words)


@pytest.mark.parametrize("make", [Stepping, lambda: Handing(ends="softmax")], ids=["own", "keras"])
def test_its_gradients_are_those_of_the_loss(make: Any) -> None:
    x, y = rows()
    model = compiled(make())
    model(x[:2])
    model.drop.rate = 0.0  # both are asked for the same
    before = states(model)
    found = pipeline(model, x=x, y=y).fact(Gradients)
    assert "loss" in found.logged
    assert states(model) == before
    assert not model.optimizer.built
    assert "stateless_apply" not in vars(model.optimizer)
    plain = compiled(Subclassed(ends="softmax"))
    plain(x[:2])
    plain.set_weights(model.get_weights())
    plain.drop.rate = 0.0
    wanted = pipeline(plain, x=x, y=y).fact(Gradients)
    norms = [one.norm for one in found.of.values()]
    assert norms == pytest.approx([one.norm for one in wanted.of.values()], rel=1e-5)
    assert found.loss == pytest.approx(wanted.loss, rel=1e-5)


def test_one_without_an_optimizer_of_keras_is_left_alone() -> None:
    x, y = rows()
    model = compiled(Stepping(by_hand=True))
    model(x[:2])
    before = states(model)
    with pytest.raises(Unavailable, match="stateless_apply was not called"):
        pipeline(model, x=x, y=y).fact(Gradients)
    assert states(model) == before
