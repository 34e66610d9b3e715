"""A test_step of one's own, which fit comes to after a whole epoch: it is run before."""

from __future__ import annotations

from typing import Any

import pytest
from keras_fits import BACKEND, Subclassed, compiled, keras, pipeline, rows, sequential
from keras_states import states

from pipedoctor import Unavailable, examine
from pipedoctor.facts import Rehearsal


class Testing(Subclassed):
    """One that takes so many things apart."""

    def __init__(self, things: int = 2) -> None:
        super().__init__(ends="softmax")
        self.things = things

    def test_step(self, *words: Any) -> Any:
        data = words[-1]
        x, y, *_ = data if self.things == 2 else (data[0], data[1], data[2])
        loss = keras.ops.mean(keras.losses.sparse_categorical_crossentropy(y, self(x)))
        return ({"mine": loss, "loss": loss}, words[0]) if BACKEND == "jax" else {"loss": loss}


def test_it_is_run_and_all_is_as_before() -> None:
    x, y = rows()
    model = compiled(Testing())
    model(x[:2])
    before = states(model)
    found = pipeline(model, x=x, y=y, validation_split=0.2).fact(Rehearsal)
    assert "loss" in found.names
    assert found.losses[0] > 0
    assert states(model) == before


def test_what_it_raises_is_told_before_an_epoch_is_spent() -> None:
    x, y = rows()
    report = examine(compiled(Testing(3)), x=x, y=y, validation_split=0.2)
    (found,) = [one for o in report.outcomes for one in o.findings if o.rule.code == "RUN001"]
    assert "index out of range" in found.message
    assert "data[2]" in (found.where.source or "")


def test_that_of_keras_is_not_run_twice() -> None:
    x, y = rows()
    with pytest.raises(Unavailable, match="no compute_metrics"):
        pipeline(sequential(), x=x, y=y, validation_split=0.2).fact(Rehearsal)
