"""The ways in which a call of fit is handed over, and what is said of one that makes no sense."""

from __future__ import annotations

from typing import Any

import pytest
from keras_fits import BACKEND, Subclassed, compiled, keras, pipeline, rows, sequential

from pipedoctor import Finding, Severity, Stage, Unavailable, check, examine, frameworks, testing
from pipedoctor.facts import Compiled, Fit, Forward, Gradients
from pipedoctor.frameworks.fitting.fed import Fed


def test_examine_takes_the_arguments_of_fit() -> None:
    x, y = rows(50)
    report = examine(sequential(), x=x, y=y, epochs=3, validation_data=(x[:10], y[:10]))
    told = {(fact["fact"], fact.get("split")): fact for fact in report.facts}
    assert told["Fit", None]["epochs"] == 3
    assert told["Rows", "eval"]["rows"] == 10
    assert report.subject[0].startswith("keras ")
    assert "50 rows" in report.subject
    assert report.plan[0] == "6 steps in 3 epochs of 2 batches"


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"x": 1}, "'x' is an argument of fit, and the model is missing"),
        ({"model": object(), "epochs": 2}, "'epochs' is an argument of fit, and the model is obj"),
    ],
)
def test_arguments_of_fit_need_a_model_that_is_fitted(parts: dict[str, Any], said: str) -> None:
    with pytest.raises(TypeError, match=said):
        examine(**parts)


def test_a_word_that_fit_does_not_know_is_refused() -> None:
    with pytest.raises(TypeError, match="unknown part 'epoch'"):
        examine(sequential(), x=rows()[0], epoch=2)


def test_what_a_factory_returns_is_understood() -> None:
    x, y = rows(20)
    model = sequential()
    for value in (
        {"model": model, "x": x, "y": y},
        (model, x, y),
        (model, (x, y)),
        (model, (x, y), {"batch_size": 5}),
        {"model": model, "train_data": (x, y)},
    ):
        parts = frameworks.returned(value)
        assert parts["model"] is model
        assert isinstance(parts["train_data"], Fed)
        assert len(parts["train_data"]) == 20
    assert "train_data" not in frameworks.returned(model)
    with pytest.raises(TypeError):
        frameworks.returned((1, 2))


def test_inputs_under_names_of_their_own_are_no_options() -> None:
    x, _ = rows(20)
    parts = frameworks.returned((sequential(), {"one": x, "other": x}))
    assert parts["train_data"].x == {"one": x, "other": x}


def test_a_snippet_of_the_manual_binds_the_arguments_of_fit() -> None:
    @check("ZZZ901", Severity.NOTE, stage=Stage.ARGUMENTS)
    def long_run(fit: Fit, *, most: int = 5) -> Any:
        """
        The run is long.

        Why it matters is not said here.

        Fails:

            from keras_fits import rows, sequential

            model = sequential()
            x, y = rows(40)
            epochs = 9

        Passes:

            from keras_fits import rows, sequential

            model = sequential()
            x, y = rows(40)
        """
        if fit.epochs > most:
            yield Finding(
                message=f"{fit.epochs} epochs", evidence={"epochs": fit.epochs}, remedy="fewer"
            )

    for example in long_run.examples:
        testing.verify(long_run, example)


class Own(Subclassed):
    """A training step of its own, for each backend as it writes them."""

    def train_step(self, *words: Any) -> Any:
        logs = super().train_step(*words)
        return (
            ({"mine": logs[0]["loss"]}, *logs[1:]) if BACKEND == "jax" else {"mine": logs["loss"]}
        )


def test_what_a_training_step_of_its_own_logs_is_not_guessed() -> None:
    x, y = rows()
    made = pipeline(compiled(Own(ends="softmax")), x=x, y=y)
    told = made.fact(Compiled)
    assert told.own_train_step
    with pytest.raises(Unavailable, match="own code decides what it logs"):
        _ = told.metrics
    with pytest.raises(Unavailable, match="train_step of its own"):
        _ = made.fact(Forward).loss
    assert all(one.reached for one in made.fact(Gradients).of.values())


def test_nothing_to_train_and_nothing_that_reaches_it_are_said_in_words_of_keras() -> None:
    x, y = rows()
    model = sequential()
    model.trainable = False
    model.compile("adam", "sparse_categorical_crossentropy")
    (found,) = [one for o in examine(model, x=x, y=y).outcomes for one in o.findings]
    assert "fit changes nothing" in found.message
    assert "compile again" in found.remedy


@pytest.mark.skipif(BACKEND == "jax", reason="jax has a gradient of zeros for what is cut off")
def test_a_layer_that_gets_no_gradient_is_frozen_the_way_keras_does() -> None:
    class Cut(Subclassed):
        def call(self, inputs: Any, training: bool = False) -> Any:
            held = keras.ops.stop_gradient(self.first(inputs))
            return self.last(held)

    x, y = rows()
    report = examine(compiled(Cut(ends="softmax")), x=x, y=y)
    (found,) = [one for o in report.outcomes for one in o.findings]
    assert 'model.get_layer("dense' in found.remedy
    assert "stop_gradient" in found.remedy
