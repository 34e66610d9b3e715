"""Where a fit of Keras 2 becomes NaN: the line, the layer, the rows; nothing of it is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")
pytest.importorskip("tf_keras")
second_fits = pytest.importorskip("legacy.second_fits")

from pipedoctor.facts import Trace  # noqa: E402 - after what is imported or skipped


def safe(x: Any) -> Any:
    """Return 1 in good rows and 0 in guilty ones."""
    return 1.0 - tf.cast(x[:, :1], "float32")


def log(x: Any) -> Any:
    return x * tf.math.log(safe(x))  # HERE


def divided(x: Any) -> Any:
    return x / safe(x)  # HERE


def root(x: Any) -> Any:
    return x + tf.sqrt(tf.reduce_sum(tf.square(x * safe(x)), axis=-1, keepdims=True))  # HERE


def hidden(x: Any) -> Any:
    logarithm = tf.math.log(safe(x) * tf.abs(x[:, 1:2]))  # HERE
    return x + tf.where(safe(x) > 0, logarithm, 0.0)


def ratio(true: Any, told: Any) -> Any:
    return tf.reduce_mean(tf.square(told - true) / (1 - tf.cast(true > 8, "float32")), -1)  # HERE


FAULTS: tuple[tuple[Callable[[Any], Any], str, str], ...] = (
    (log, "forward", "log-of-zero"),
    (divided, "forward", "division-by-zero"),
    (root, "backward", "root-has-no-slope-at-zero"),
    (hidden, "backward", "where-does-not-shield-the-gradient"),
)


def traced(model: Any, **words: Any) -> Trace:
    trace = words.pop("trace", {"batches": 1})
    return second_fits.pipeline(model=model, trace=trace, batch_size=16, **words).fact(Trace)


def verify(trace: Trace, when: str, family: str, module: str) -> None:
    assert trace.origin is not None
    assert trace.root is not None
    blamed = trace.origin if trace.root.intended else trace.root
    assert (trace.origin.when, blamed.family) == (when, family)
    assert blamed.where.source is not None
    assert blamed.where.source.endswith("# HERE")
    assert trace.rows == second_fits.GUILTY
    assert blamed.module.split("/")[-1] == module
    assert "keras.ops" not in blamed.cure


@pytest.mark.parametrize("form", second_fits.FORMS)
@pytest.mark.parametrize(
    ("fault", "when", "family"), FAULTS, ids=[fault.__name__ for fault, *_ in FAULTS]
)
def test_a_fault_in_a_layer(fault: Any, when: str, family: str, form: str) -> None:
    x, y = second_fits.data()
    model = second_fits.model(form, fault)
    if model.built:
        before = second_fits.held(model)
    verify(traced(model, x=x, y=y), when, family, "faulty")
    if form in {"sequential", "functional"}:
        assert second_fits.held(model) == before


@pytest.mark.smoke
def test_a_fault_in_the_loss() -> None:
    x, y = second_fits.data()
    model = second_fits.model("sequential", loss=ratio)
    verify(traced(model, x=x, y=y), "forward", "division-by-zero", "ratio")


def test_what_is_fine_is_not_accused() -> None:
    x, y = second_fits.data()
    for form in second_fits.FORMS:
        trace = traced(second_fits.model(form), x=x, y=y, trace={"steps": 3})
        assert trace.origin is None
        assert trace.loss is not None


def test_data_and_weights_that_are_not_finite_when_they_come() -> None:
    x, y = second_fits.data()
    x[5, 2] = np.nan
    trace = traced(second_fits.model("functional"), x=x, y=y)
    assert trace.root is not None
    assert (trace.root.when, trace.root.name, trace.rows) == ("data", "x", (5,))
    x, y = second_fits.data()
    model = second_fits.model("functional")
    model.get_layer("last").kernel.assign(np.full((8, 1), np.nan))
    trace = traced(model, x=x, y=y)
    assert trace.root is not None
    assert (trace.root.when, trace.root.name) == ("weights", "last/kernel")


@pytest.mark.parametrize("legacy", [False, True])
def test_an_update_that_overflows(legacy: bool) -> None:
    import tf_keras

    kinds = tf_keras.optimizers.legacy if legacy else tf_keras.optimizers
    x, y = second_fits.data()
    model = second_fits.model("functional", optimizer=kinds.SGD(1e38))
    trace = traced(model, x=x, y=y, trace={"steps": 3})
    assert trace.origin is not None
    assert (trace.origin.when, trace.step) == ("optimizer", 1)


def test_a_label_that_a_model_of_transformers_has_no_output_for(rows: Any) -> None:
    trace = traced(second_fits.lent(2), x=rows)
    assert trace.origin is not None
    assert trace.origin.family == "label-out-of-range"
    assert trace.origin.cure.startswith("from_pretrained(…, num_labels=3)")
    assert trace.rows == tuple(int(row) for row in np.flatnonzero(rows["labels"] > 1))


def test_an_embedding_that_was_loaded_broken(rows: Any) -> None:
    model = second_fits.lent()
    model({"input_ids": rows["input_ids"]})
    words = model.distilbert.embeddings.weight
    words.assign(np.where(np.arange(50)[:, None] == rows["input_ids"][0, 0], np.inf, words))
    trace = traced(model, x=rows)
    assert trace.root is not None
    assert trace.root.when == "weights"
    assert "word_embeddings" in trace.root.name
