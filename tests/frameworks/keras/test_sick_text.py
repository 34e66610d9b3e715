"""A text model of Keras, on raw texts, with faults that a fit would not tell of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from keras_fits import BACKEND, keras, pipeline
from resources import reuters

from pipedoctor.facts import Overfit
from pipedoctor.facts.overfit import CANNOT, LEARNS, SLOWLY
from pipedoctor.frameworks.learning.keras_state import digest
from pipedoctor.pipeline import ProbeFailed

layers = keras.layers
Made = tuple[Any, dict[str, Any]]

LENGTH, WORDS = 24, 2000


def texts(count: int = 400) -> tuple[Any, Any]:
    """Numbers of words, as a TextVectorization makes them, and the topics."""
    rows = reuters()[:count]
    names = sorted({label for label, _ in rows})
    known: dict[str, int] = {}
    x = np.zeros((count, LENGTH), "int64")
    for place, (_, text) in enumerate(rows):
        for number, word in enumerate(text.split()[:LENGTH]):
            x[place, number] = known.setdefault(word, 1 + len(known) % (WORDS - 1))
    return x, np.array([names.index(label) for label, _ in rows])


def model(*before: Any, classes: int = 8, ends: str | None = "softmax", **words: Any) -> Any:
    return keras.Sequential(
        [
            keras.Input((LENGTH,)),
            layers.Embedding(WORDS, 32, name="words", **words),
            layers.Bidirectional(layers.LSTM(16, dropout=0.2), name="reads"),
            *before,
            layers.Dense(32, "relu", name="hidden"),
            layers.Dense(classes, ends, name="topics"),
        ]
    )


def fit(
    made: Any, rate: Any = 3e-3, loss: Any = None, optimizer: Any = None, **words: Any
) -> Made:
    made.compile(
        optimizer=optimizer or keras.optimizers.Adam(rate),
        loss=loss or "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    x, y = texts()
    return made, {"x": x, "y": y, "epochs": 10, "batch_size": 16, **words}


def healthy() -> Made:
    return fit(model())


def frozen() -> Made:
    made = model()
    made.trainable = False
    return fit(made)


def rate_low() -> Made:
    return fit(model(), 1e-8)


def rate_zero() -> Made:
    return fit(model(), 0.0)


def rate_high() -> Made:
    return fit(model(), optimizer=keras.optimizers.SGD(1e4))


def schedule_by_batch() -> Made:
    """A decay that is meant for epochs, and that Keras counts batches with."""
    return fit(model(), keras.optimizers.schedules.ExponentialDecay(3e-3, 1, 0.1))


def warm_up_for_ever() -> Made:
    return fit(
        model(),
        keras.optimizers.schedules.CosineDecay(
            0.0, 10_000_000, warmup_target=3e-3, warmup_steps=1_000_000
        ),
    )


def units_dead() -> Made:
    bias = keras.initializers.Constant(-100.0)
    return fit(model(layers.Dense(32, "relu", bias_initializer=bias, name="dead")))


def weights_zero() -> Made:
    return fit(model(layers.Dense(32, "relu", kernel_initializer="zeros", name="empty")))


def vanishing() -> Made:
    tail = [layers.Dense(32, "sigmoid", name=f"deep_{n}") for n in range(14)]
    return fit(model(*tail))


def inputs_lost() -> Made:
    return fit(model(layers.Rescaling(0.0, name="lost")))


def inputs_alike() -> Made:
    made, words = fit(model())
    return made, words | {"x": np.repeat(words["x"][:1], len(words["x"]), axis=0)}


def labels_ignored() -> Made:
    return fit(model(), loss=lambda _y, p: keras.ops.mean(keras.ops.square(p), -1))


def one_label() -> Made:
    made, words = fit(model())
    return made, words | {"y": np.ones_like(words["y"])}


def negated() -> Made:
    return fit(model(), loss=lambda y, p: -keras.losses.sparse_categorical_crossentropy(y, p))


def one_softmax() -> Made:
    made, words = fit(model(classes=1), loss="binary_crossentropy")
    return made, words | {"y": (words["y"] == 2).astype("int64")}


def decay_wins() -> Made:
    return fit(model(), optimizer=keras.optimizers.AdamW(3e-3, weight_decay=150.0))


FAULTS: tuple[tuple[Callable[[], Made], str, tuple[str, ...]], ...] = (
    (frozen, CANNOT, ("nothing-trainable",)),
    (rate_low, SLOWLY, ("rate-too-low",)),
    (rate_zero, CANNOT, ("rate-zero",)),
    (rate_high, CANNOT, ("rate-too-high",)),
    (schedule_by_batch, SLOWLY, ("schedule-spent",)),
    (warm_up_for_ever, SLOWLY, ("warm-up-never-ends",)),
    (units_dead, CANNOT, ("units-dead",)),
    (weights_zero, CANNOT, ("weights-zero",)),
    (vanishing, CANNOT, ("vanishing-gradients",)),
    (inputs_lost, CANNOT, ("answers-ignore-inputs",)),
    (inputs_alike, CANNOT, ("labels-contradict-inputs",)),
    (labels_ignored, CANNOT, ("loss-ignores-labels",)),
    (one_label, CANNOT, ("one-label",)),
    (negated, CANNOT, ("loss-negated",)),
    (one_softmax, CANNOT, ("softmax-on-one-unit",)),
    (decay_wins, CANNOT, ("weight-decay-wins",)),
)
FEW = (rate_low, inputs_lost)


def learned(made: Made) -> Overfit:
    one, words = made
    before = digest(one)
    fact = pipeline(one, overfit={"steps": 50}, **words).fact(Overfit)
    assert digest(one) == before
    assert fact.restored is True
    return fact


@pytest.fixture(autouse=True)
def _seeded() -> None:
    keras.utils.set_random_seed(0)


def test_healthy_texts_are_learned() -> None:
    fact = learned(healthy())
    assert (fact.verdict, fact.reasons) == (LEARNS, ())


@pytest.mark.parametrize(
    ("case", "verdict", "kinds"),
    [
        pytest.param(
            *fault, id=fault[0].__name__, marks=() if fault[0] in FEW else pytest.mark.deep
        )
        for fault in FAULTS
    ],
)
def test_the_reason_is_named_first(
    case: Callable[[], Made], verdict: str, kinds: tuple[str, ...]
) -> None:
    fact = learned(case())
    assert fact.verdict == verdict, fact.figures()
    assert fact.reasons[0].kind in kinds


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_an_interruption_in_the_users_loss_leaves_all_as_it_was(
    error: type[BaseException],
) -> None:
    if BACKEND != "torch":
        pytest.skip("a loss is traced once here, and runs without Python afterwards")
    made: list[int] = []

    def loss(y: Any, p: Any) -> Any:
        made.append(1)
        if len(made) > 4:
            raise error
        return keras.losses.sparse_categorical_crossentropy(y, p)

    one, words = fit(model(), loss=loss)
    before = digest(one)
    with pytest.raises((error, ProbeFailed)):
        pipeline(one, overfit={"steps": 50}, **words).fact(Overfit)
    assert digest(one) == before
