"""A training step of one's own on JAX: it gets all state and gives it back, and so do we."""

from __future__ import annotations

from typing import Any

import pytest
from keras_fits import BACKEND, Subclassed, compiled, keras, pipeline, rows
from keras_states import states

from pipedoctor import Unavailable
from pipedoctor.facts import Gradients, Overfit, Trace
from pipedoctor.facts.overfit import LEARNS

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


class Watching(Stepping):
    """One that divides by nothing in some rows, and logs its loss under a name of its own."""

    def __init__(self, *, by_hand: bool = False) -> None:
        super().__init__(by_hand=by_hand)
        self.seen = keras.metrics.Mean(name="total_loss")

    def loss_and_updates(self, *words: Any) -> tuple[Any, Any]:
        loss, other = super().loss_and_updates(*words)
        far = keras.ops.maximum(words[2][:, 0], 0.0)
        return loss + 0.0 * keras.ops.sum(keras.ops.log(far)), other  # HERE

    def train_step(self, state: Any, data: Any) -> Any:
        logs, (*others, metrics) = super().train_step(state, data)
        held = [one.value for one in self.seen.variables]
        loss = self.seen.stateless_update_state(held, logs["loss"])
        return {"total_loss": self.seen.stateless_result(loss)}, (*others, metrics)


def traced(model: Any, x: Any, y: Any, **wishes: Any) -> Trace:
    model(x[:2])
    before = states(model)
    found = pipeline(model, x=x, y=y, trace=wishes).fact(Trace)
    assert states(model) == before
    return found


def test_what_it_makes_of_nothing_is_found_in_its_own_line() -> None:
    x, y = rows()
    assert traced(compiled(Watching()), abs(x) + 1, y, steps=3).steps == 3
    x = abs(x) + 1
    x[5, 0] = -1.0
    found = traced(compiled(Watching()), x, y, batches=1)
    assert found.root is not None
    assert (found.root.where.source or "").endswith("# HERE")
    assert found.rows == (5,)


def test_updates_that_are_made_by_hand_are_not_made() -> None:
    x, y = rows()
    model = compiled(Stepping(by_hand=True))
    assert traced(model, x, y, batches=2).finite
    with pytest.raises(Unavailable, match="no updates are made then"):
        traced(model, x, y, steps=2)


def test_one_batch_is_learned_by_its_own_step() -> None:
    x, y = rows()
    model = compiled(Stepping(), optimizer=keras.optimizers.Adam(1e-2))
    model(x[:2])
    before = states(model)
    found = pipeline(model, x=x, y=y, overfit={"steps": 50}).fact(Overfit)
    assert found.verdict == LEARNS
    assert found.restored
    assert states(model) == before
