"""Whether a fit of Keras can learn one batch, and why not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from keras_fits import BACKEND, keras, pipeline, rows

from pipedoctor.facts import Overfit
from pipedoctor.facts.overfit import CANNOT, INCONCLUSIVE, LEARNS, SLOWLY
from pipedoctor.frameworks.learning.keras_doubles import double
from pipedoctor.frameworks.learning.keras_learner import KerasLearner
from pipedoctor.frameworks.learning.keras_state import digest
from pipedoctor.pipeline import ProbeFailed

layers = keras.layers
Made = tuple[Any, dict[str, Any]]

SPARSE = "sparse_categorical_crossentropy"


def classifier(*inner: Any, units: int = 3, ends: str | None = "softmax") -> Any:
    body = inner or (layers.Dense(32, activation="relu", name="hidden"),)
    return keras.Sequential([keras.Input((8,)), *body, layers.Dense(units, ends, name="classes")])


def fit(model: Any, loss: Any = SPARSE, optimizer: Any = "adam", **words: Any) -> Made:
    model.compile(optimizer=optimizer, loss=loss, metrics=words.pop("metrics", None))
    x, y = rows()
    return model, {"x": x, "y": y, "epochs": 20, **words}


class Own(keras.Model):
    """A training step of its own; `bend` makes its loss of labels and answers."""

    def __init__(self, bend: Callable[[Any, Any], Any]) -> None:
        super().__init__()
        self.body = layers.Dense(32, activation="relu")
        self.head = layers.Dense(1)
        self.bend = bend
        self.tracker = keras.metrics.Mean(name="loss")

    @property
    def metrics(self) -> list[Any]:
        return [self.tracker]

    def call(self, x: Any) -> Any:
        return self.head(self.body(x))

    def stateless(self, state: Any, data: Any) -> tuple[dict[str, Any], Any]:
        import jax

        trained, others, optimizer, metrics = state
        x, y = data

        def loss_of(trained: Any) -> Any:
            answers, new = self.stateless_call(trained, others, x)
            return self.bend(y, answers), new

        (loss, new), grads = jax.value_and_grad(loss_of, has_aux=True)(trained)
        trained, optimizer = self.optimizer.stateless_apply(optimizer, grads, trained)
        metrics = self.tracker.stateless_update_state(metrics, loss)
        logs = {"loss": self.tracker.stateless_result(metrics)}
        return logs, (trained, new, optimizer, metrics)

    def train_step(self, *words: Any) -> Any:
        if BACKEND == "jax":
            return self.stateless(*words)
        x, y = words[0]
        if BACKEND == "torch":
            self.zero_grad()
            loss = self.bend(y, self(x, training=True))
            loss.backward()
            grads = [v.value.grad for v in self.trainable_weights]
        else:
            import tensorflow as tf

            with tf.GradientTape() as tape:
                loss = self.bend(y, self(x, training=True))
            grads = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply(grads, self.trainable_weights)
        self.tracker.update_state(loss)
        return {"loss": self.tracker.result()}


def own(bend: Callable[[Any, Any], Any]) -> Made:
    model = Own(bend)
    model.compile(optimizer=keras.optimizers.Adam(1e-2))
    x, _ = rows()
    return model, {"x": x, "y": (x[:, 0] + x[:, 1]).astype("float32"), "epochs": 20}


def squares(y: Any, answers: Any) -> Any:
    return keras.ops.mean(keras.ops.square(y - keras.ops.squeeze(answers, -1)))


def images() -> Made:
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(8, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(3, "softmax"),
        ]
    )
    made, words = fit(model, metrics=["accuracy"])
    x = np.random.default_rng(0).normal(size=(100, 8, 8, 1)).astype("float32")
    return made, words | {"x": x}


def tokens() -> dict[str, Any]:
    x = np.random.default_rng(0).integers(1, 50, (100, 12))
    return {"x": x, "y": (x[:, 0] > 25).astype("int64")}


def text() -> Made:
    body = [layers.Embedding(50, 16), layers.GlobalAveragePooling1D(), layers.Dense(16, "relu")]
    model = keras.Sequential([keras.Input((12,)), *body, layers.Dense(1, "sigmoid")])
    made, words = fit(model, "binary_crossentropy", keras.optimizers.Adam(1e-2))
    return made, words | tokens()


def recurrent() -> Made:
    body = [layers.Embedding(50, 16), layers.LSTM(16, dropout=0.2)]
    model = keras.Sequential([keras.Input((12,)), *body, layers.Dense(2, "softmax")])
    made, words = fit(model, optimizer=keras.optimizers.RMSprop(1e-2))
    return made, words | tokens()


def regression() -> Made:
    made, words = fit(classifier(units=1, ends=None), "mse", keras.optimizers.Adam(1e-2))
    return made, words | {"y": words["x"][:, :1] * 2 + 1}


def several_labels() -> Made:
    made, words = fit(classifier(units=4, ends="sigmoid"), "binary_crossentropy")
    return made, words | {"y": (words["x"][:, :4] > 0).astype("float32")}


def weighted_classes() -> Made:
    return fit(classifier(), class_weight={0: 1.0, 1: 2.0, 2: 3.0})


def own_step() -> Made:
    return own(squares)


HEALTHY: tuple[Any, ...] = (
    images,
    text,
    recurrent,
    pytest.param(regression, marks=pytest.mark.deep),
    pytest.param(several_labels, marks=pytest.mark.deep),
    weighted_classes,
    own_step,
)


def frozen() -> Made:
    model = classifier()
    model.trainable = False
    return fit(model)


def softmax_on_one() -> Made:
    made, words = fit(classifier(units=1), "binary_crossentropy")
    return made, words | {"y": (words["x"][:, 0] > 0).astype("int64")}


def zero_kernels() -> Made:
    zero = {"activation": "relu", "kernel_initializer": "zeros"}
    return fit(classifier(layers.Dense(16, **zero), layers.Dense(16, **zero)))


def dead_relu() -> Made:
    biased = {"activation": "relu", "bias_initializer": keras.initializers.Constant(-100.0)}
    return fit(classifier(layers.Dense(16, name="hidden", **biased)))


def rate_low() -> Made:
    return fit(classifier(), optimizer=keras.optimizers.Adam(1e-8))


def rate_zero() -> Made:
    return fit(classifier(), optimizer=keras.optimizers.SGD(0.0))


def rate_high() -> Made:
    return fit(classifier(), optimizer=keras.optimizers.SGD(1e4))


def one_label() -> Made:
    made, words = fit(classifier())
    return made, words | {"y": np.ones(100, "int64")}


def contradictory() -> Made:
    made, words = fit(classifier())
    return made, words | {"x": np.ones((100, 8), "float32")}


def inputs_lost() -> Made:
    return fit(classifier(layers.Rescaling(0.0), layers.Dense(16, "relu")))


def out_of_reach() -> Made:
    made, words = fit(classifier(units=1, ends="sigmoid"), "mse")
    return made, words | {"y": 20 + words["x"][:, :1]}


def negated() -> Made:
    def minus(y: Any, answers: Any) -> Any:
        return -keras.losses.sparse_categorical_crossentropy(y, answers)

    return fit(classifier(), minus)


def labels_ignored() -> Made:
    return fit(classifier(), lambda _y, answers: keras.ops.mean(keras.ops.square(answers), -1))


def logits() -> Made:
    return fit(classifier(ends=None))


def scores() -> Made:
    return fit(classifier(ends="tanh"))


def broadcast() -> Made:
    return own(lambda y, answers: keras.ops.mean(keras.ops.square(y - answers)))


def detached() -> Made:
    if BACKEND == "torch":
        pytest.skip("backward() of torch raises by itself then")
    return own(lambda y, answers: squares(y, keras.ops.stop_gradient(answers)))


FAULTS: tuple[Any, ...] = (
    (frozen, CANNOT, "nothing-trainable"),
    pytest.param(softmax_on_one, CANNOT, "softmax-on-one-unit", marks=pytest.mark.deep),
    (zero_kernels, CANNOT, "weights-zero"),
    (dead_relu, CANNOT, "units-dead"),
    (rate_low, SLOWLY, "rate-too-low"),
    pytest.param(rate_zero, CANNOT, "rate-zero", marks=pytest.mark.deep),
    (rate_high, CANNOT, "rate-too-high"),
    pytest.param(one_label, CANNOT, "one-label", marks=pytest.mark.deep),
    (contradictory, CANNOT, "labels-contradict-inputs"),
    pytest.param(inputs_lost, CANNOT, "answers-ignore-inputs", marks=pytest.mark.deep),
    (out_of_reach, CANNOT, "targets-out-of-reach"),
    (negated, CANNOT, "loss-negated"),
    pytest.param(labels_ignored, CANNOT, "loss-ignores-labels", marks=pytest.mark.deep),
    (logits, CANNOT, "scores-in-a-loss-of-probabilities"),
    pytest.param(scores, CANNOT, "scores-in-a-loss-of-probabilities", marks=pytest.mark.deep),
    (broadcast, CANNOT, "loss-broadcasts"),
    (detached, CANNOT, "zero-gradients" if BACKEND == "jax" else "loss-detached"),
)


def learned(made: Made) -> Overfit:
    model, words = made
    return pipeline(model, overfit={"steps": 50}, **words).fact(Overfit)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    keras.utils.set_random_seed(0)


@pytest.mark.parametrize("case", HEALTHY, ids=lambda case: case.__name__)
def test_a_healthy_model_learns(case: Callable[[], Made]) -> None:
    fact = learned(case())
    assert fact.verdict == LEARNS, fact.figures()
    assert fact.reasons == ()
    assert fact.restored is True


@pytest.mark.parametrize(
    ("case", "verdict", "kind"), FAULTS, ids=lambda one: getattr(one, "__name__", "")
)
def test_a_fault_is_the_first_reason(case: Callable[[], Made], verdict: str, kind: str) -> None:
    fact = learned(case())
    assert (fact.verdict, [reason.kind for reason in fact.reasons][:1]) == (verdict, [kind])
    assert fact.restored is True


def trained() -> Made:
    """A model in the middle of a training: its optimizer has gathered something."""
    model, words = images()
    model.fit(words["x"], words["y"], epochs=1, verbose=0)
    return model, words


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_all_is_put_back_after_an_interruption(
    error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, words = trained()
    before, made = digest(model), []
    update = KerasLearner.update

    def interrupted(learner: KerasLearner) -> None:
        update(learner)
        made.append(digest(model))
        if len(made) == 3:
            raise error

    monkeypatch.setattr(KerasLearner, "update", interrupted)
    with pytest.raises((error, ProbeFailed)):
        learned((model, words))
    assert before not in made
    assert digest(model) == before


def test_fit_goes_on_as_if_nothing_had_been() -> None:
    def losses(*, tried: bool) -> list[float]:
        keras.utils.set_random_seed(0)
        model, words = trained()
        if tried:
            assert learned((model, words)).restored is True
        return list(model.fit(words["x"], words["y"], epochs=2, verbose=0).history["loss"])

    assert losses(tried=True) == losses(tried=False)


def test_an_optimizer_that_was_not_built_stays_so() -> None:
    model, words = images()
    learned((model, words))
    assert not model.optimizer.built
    assert int(model.optimizer.iterations) == 0


def test_the_batch_holds_every_label_and_says_which_rows() -> None:
    model, words = fit(classifier())
    order = np.argsort(words["y"], kind="stable")
    fact = learned((model, words | {"x": words["x"][order], "y": words["y"][order]}))
    assert fact.classes == (3, 3)
    assert {0, 1, 2} == set(words["y"][order][list(fact.rows)].tolist())


def one_hot_sorted() -> Made:
    """Rows sorted by class with one-hot labels, which fit shuffles."""
    made, words = fit(classifier(), "categorical_crossentropy", keras.optimizers.Adam(1e-2))
    labels = np.sort(words["y"])
    x = words["x"] + labels[:, None].astype("float32")
    return made, words | {"x": x, "y": np.eye(3, dtype="float32")[labels]}


def test_the_batch_holds_every_one_hot_label() -> None:
    model, words = one_hot_sorted()
    fact = learned((model, words))
    assert (fact.verdict, fact.classes) == (LEARNS, (3, 3)), fact.figures()
    assert {0, 1, 2} == set(words["y"].argmax(1)[list(fact.rows)].tolist())


def test_labels_that_are_no_classes_are_drawn_from_all_of_the_data() -> None:
    model, words = regression()
    y = np.where(np.arange(100) < 60, 0.0, words["x"][:, 0]).astype("float32")
    fact = learned((model, words | {"y": y}))
    assert fact.rows[-1] == 99
    assert fact.reasons == ()


def test_a_batch_of_one_label_says_nothing_where_the_data_holds_others() -> None:
    tensorflow = pytest.importorskip("tensorflow")
    model, words = one_hot_sorted()
    data = tensorflow.data.Dataset.from_tensor_slices((words["x"], words["y"])).batch(16)
    fact = learned((model, {"x": data, "epochs": 20}))
    assert (fact.verdict, fact.classes) == (INCONCLUSIVE, (1, 3))
    assert [reason.kind for reason in fact.reasons] == ["batch-of-one-label"]


def test_labels_far_away_leave_the_verdict_open() -> None:
    made, words = fit(classifier(units=1, ends=None), "mse")
    y = (1e8 + 3e7 * words["x"][:, 0]).astype("float32")
    fact = learned((made, words | {"y": y}))
    assert (fact.verdict, [r.kind for r in fact.reasons]) == (INCONCLUSIVE, ["labels-far-away"])
    assert "standardise y" in fact.reasons[0].remedy


def test_a_loss_function_that_squeezes_one_of_two_is_told_what_it_got() -> None:
    made, words = fit(classifier(units=1, ends=None), squares)
    fact = learned((made, words | {"y": words["x"][:, 0] * 2}))
    reason = fact.reasons[0]
    rows = len(fact.rows)
    assert (fact.verdict, reason.kind) == (CANNOT, "loss-broadcasts")
    assert reason.evidence == {"answers": [rows, 1], "labels": [rows, 1]}
    assert "squeeze neither or both" in reason.remedy


def pixels() -> Made:
    rng = np.random.default_rng(0)
    y, shown = rng.integers(0, 10, 200), rng.integers(0, 256, (10, 28, 28))
    x = np.clip(shown[y] * 0.5 + rng.integers(0, 128, (200, 28, 28)), 0, 255).astype("uint8")
    body = [layers.Flatten(), layers.Dense(8, "sigmoid"), layers.Dense(10, "softmax")]
    model = keras.Sequential([keras.Input((28, 28)), *body])
    model.compile(optimizer=keras.optimizers.SGD(0.01), loss=SPARSE)
    return model, {"x": x, "y": y, "epochs": 5}


def test_pixels_as_they_are_explain_a_loss_that_falls_slowly() -> None:
    fact = learned(pixels())
    assert fact.verdict == INCONCLUSIVE, fact.figures()
    assert [(r.kind, r.code) for r in fact.reasons] == [("inputs-not-scaled", "DAT017")]


def test_data_that_gives_batches_is_read_at_its_start() -> None:
    tensorflow = pytest.importorskip("tensorflow")
    model, words = fit(classifier())
    data = tensorflow.data.Dataset.from_tensor_slices((words["x"], words["y"])).batch(64)
    fact = learned((model, {"x": data, "epochs": 20}))
    assert fact.verdict == LEARNS
    assert fact.classes == (3, 3)
    assert len(fact.rows) == 16


def test_a_schedule_is_tried_at_its_highest_rate() -> None:
    decay = keras.optimizers.schedules.CosineDecay(0.0, 100, warmup_target=1e-2, warmup_steps=50)
    fact = learned(fit(classifier(), optimizer=keras.optimizers.Adam(decay)))
    assert fact.own is not None
    assert fact.own.rate == pytest.approx(1e-2, rel=0.05)
    assert fact.verdict == LEARNS


def test_what_an_optimizer_gathered_is_taken_along() -> None:
    model, _ = trained()
    mine = double(model.optimizer, model.trainable_variables, 0.5)
    assert float(mine.learning_rate) == 0.5
    for one, other in zip(mine.variables, model.optimizer.variables, strict=True):
        if one is not mine._learning_rate:
            assert np.array_equal(np.asarray(one), np.asarray(other))
