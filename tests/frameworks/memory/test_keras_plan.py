"""What a fit of Keras takes, on whichever backend the environment names."""

from __future__ import annotations

import math

import numpy as np
import pytest
from keras_fits import BACKEND, Subclassed, compiled, functional, keras, pipeline, rows, sequential

from pipedoctor.fact import Unavailable
from pipedoctor.facts import Compiled, MemoryPlan
from pipedoctor.frameworks.fitting.building import Ready
from pipedoctor.frameworks.learning.keras_state import digest
from pipedoctor.pipeline import ProbeFailed

GIB = 2**30


def plan(model, memory, **words):
    x, y = rows()
    given = {"x": x, "y": y, "batch_size": 32, **words}
    return pipeline(model, memory=memory, **given).fact(MemoryPlan)


def consistent(told):
    assert sum(told.parts.values()) == told.peak
    assert told.total == told.peak + told.context + told.margin
    totals = [remedy.total for remedy in told.remedies]
    assert totals == sorted(totals)
    assert all(0 < total < told.total for total in totals)
    assert list(told.batches.values()) == sorted(told.batches.values())


def wide(**words):
    layers = [keras.Input((64,))]
    layers += [keras.layers.Dense(512, activation="relu") for _ in range(3)]
    return compiled(keras.Sequential([*layers, keras.layers.Dense(3)]), **words)


def of_64(count=64):
    x = np.zeros((count, 64), "float32")
    return {"x": x, "y": np.zeros(count, "int64")}


def bytes_of(variables):
    return sum(4 * math.prod(v.shape) for v in variables)


def test_variables_are_counted_exactly_and_activations_by_what_the_gradient_keeps():
    model = wide()
    told = plan(model, {"room": GIB}, **of_64(), batch_size=4096)
    consistent(told)
    weights = bytes_of(model.trainable_variables)
    assert told.parts["weights"] == weights
    assert told.parts["states"] == pytest.approx(2 * weights, rel=1e-3)
    assert told.parts["inputs"] in {4096 * (64 * 4 + 8), 4096 * (64 * 4 + 4)} or (
        told.parts["inputs"] == pytest.approx(4096 * 264, rel=0.01)
    )
    hidden = 3 * 4096 * 512 * 4
    names = ("activations", "temporary", "assigned", "gradients")
    passing = sum(told.parts.get(name, 0) for name in names)
    assert hidden <= passing <= 3 * hidden + 2 * weights
    assert (told.library, told.device, told.optimizer) == ("keras", "gpu", "Adam")
    assert any("estimate" in note for note in told.notes)


@pytest.mark.deep
def test_the_largest_batch_fits_and_a_tenth_more_does_not():
    model, room = wide(), GIB
    told = plan(model, {"room": room, "cpu": True}, **of_64())
    assert told.largest > 64
    assert told.largest_total <= room
    there = plan(model, {"room": room, "cpu": True, "rows": told.largest}, **of_64())
    assert (there.fits, there.settled) == (True, BACKEND != "torch" or there.settled)
    more = plan(model, {"room": room, "cpu": True, "rows": told.largest * 11 // 10}, **of_64())
    assert not (more.fits and more.settled)


@pytest.mark.parametrize(
    "make",
    [
        sequential,
        pytest.param(functional, marks=pytest.mark.deep),
        pytest.param(lambda: compiled(Subclassed()), marks=pytest.mark.deep),
    ],
)
def test_nothing_of_the_model_changes(make):
    model = make()
    x, y = rows()
    if model.name.startswith("functional"):
        x = {"one": x, "other": x[:, :4]}
        y = {"kind": y, "size": x["one"][:, :1]}
    pipe = pipeline(model, memory={"room": GIB}, x=x, y=y)
    pipe.fact(Ready)
    pipe.fact(Compiled)
    before = digest(model)
    assert pipe.fact(MemoryPlan).peak > 0
    assert digest(model) == before
    assert not model.optimizer.built


@pytest.mark.parametrize(
    ("optimizer", "slots"),
    [
        ("adam", 2),
        *(
            pytest.param(name, count, marks=pytest.mark.deep)
            for name, count in (("sgd", 0), ("lion", 1), ("rmsprop", 1), ("adamw", 2))
        ),
    ],
)
def test_slots_are_those_that_fit_builds(optimizer, slots):
    model = wide(optimizer=optimizer)
    told = plan(model, {"room": GIB}, **of_64())
    model.optimizer.build(model.trainable_variables)
    assert told.parts["states"] == sum(
        math.prod(v.shape) * (8 if "64" in str(v.dtype) else 4) for v in model.optimizer.variables
    )
    assert told.parts["states"] == pytest.approx(
        slots * bytes_of(model.trainable_variables), abs=100
    )


@pytest.mark.deep
def test_frozen_layers_have_no_gradients_and_no_states():
    model = wide()
    whole = plan(model, {"room": GIB}, **of_64())
    for layer in model.layers[:-1]:
        layer.trainable = False
    model = compiled(model)
    told = plan(model, {"room": GIB}, **of_64())
    assert told.trainable < told.parameters / 100
    assert told.parts["states"] < whole.parts["states"] / 100
    assert told.total < whole.total


@pytest.mark.deep
def test_without_data_the_model_s_own_shapes_are_taken():
    told = pipeline(wide(), memory={"planned": True, "rows": 16}).fact(MemoryPlan)
    assert told.rows == 16
    assert any("states" in note for note in told.notes)
    assert set(told.fits_on) >= {"T4", "A100 80GB"}


@pytest.mark.deep
def test_a_longer_row_takes_more():
    model = compiled(
        keras.Sequential(
            [
                keras.layers.Embedding(100, 16),
                keras.layers.Conv1D(16, 3, activation="relu"),
                keras.layers.GlobalMaxPooling1D(),
                keras.layers.Dense(3),
            ]
        )
    )
    data = {"x": np.ones((64, 20), "int32"), "y": np.zeros(64, "int64")}
    told = plan(model, {"room": GIB, "rows": 512}, **data)
    longer = plan(model, {"room": GIB, "rows": 512, "length": 200}, **data)
    assert (told.length, longer.length) == (20, 200)
    assert longer.peak > 3 * told.peak


@pytest.mark.deep
def test_half_precision_is_gone_through():
    told = plan(wide(), {"room": GIB}, **of_64(), batch_size=8192)
    half = next(one for one in told.remedies if "mixed_bfloat16" in one.change)
    assert half.largest > told.largest
    assert half.total - told.context < 0.8 * (told.total - told.context)


def test_a_model_that_is_not_compiled_has_no_plan():
    x, y = rows()
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(3)])
    with pytest.raises(Exception, match="compile"):
        pipeline(model, memory={"room": GIB}, x=x, y=y).fact(MemoryPlan)


def test_without_wishes_nothing_is_planned():
    x, y = rows()
    with pytest.raises(Unavailable):
        pipeline(sequential(), x=x, y=y).fact(MemoryPlan)


def test_a_model_that_looks_at_values_is_answered_in_one_sentence():
    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.first = keras.layers.Dense(3)

        def call(self, x):
            answer = self.first(x)
            return answer if float(keras.ops.sum(answer)) > 0 else -answer

    model = Model()
    if BACKEND != "torch":
        model.build((None, 8))
    model(np.zeros((1, 8), "float32"))
    if BACKEND != "torch":  # fit itself stops at such a model
        with pytest.raises(ProbeFailed):
            plan(compiled(model), {"room": GIB})
        return
    with pytest.raises(Unavailable, match="can't be gone through without values") as told:
        plan(compiled(model), {"room": GIB})
    assert "\n" not in str(told.value)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow alone traces a graph with loops")
def test_a_step_of_two_models_is_gone_through_with_the_batch_as_fit_hands_it():
    import tensorflow as tf

    class Two(keras.Model):
        def __init__(self, judge):
            super().__init__()
            self.judge = judge

        def compile(self, own, loss):
            super().compile()
            self.own, self.judged = own, loss

        def train_step(self, data):
            count = tf.shape(data)[0]
            with tf.GradientTape() as tape:
                loss = self.judged(tf.ones((count, 1)), self.judge(data))
            wanted = self.judge.trainable_weights
            self.own.apply_gradients(zip(tape.gradient(loss, wanted), wanted, strict=True))
            return {"loss": loss}

    judge = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4), keras.layers.Dense(1)])
    model = Two(judge)
    model.compile(keras.optimizers.Adam(), keras.losses.BinaryCrossentropy(from_logits=True))
    told = plan(model, {"room": GIB}, x=np.zeros((32, 8), "float32"), y=None, batch_size=16)
    assert (told.rows, told.trainable) == (16, 41)
    assert told.fits


RECURRENT = {"LSTM": 7, "GRU": 6, "SimpleRNN": 1}


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow alone traces a graph with loops")
@pytest.mark.parametrize("kind", RECURRENT)
def test_a_recurrent_layer_keeps_each_turn(kind):
    layer = getattr(keras.layers, kind)(16)
    model = compiled(keras.Sequential([keras.Input((40, 8)), layer, keras.layers.Dense(3)]))
    data = {"x": np.zeros((64, 40, 8), "float32"), "y": np.zeros(64, "int64")}
    told = plan(model, {"room": GIB, "rows": 256}, **data)
    kept = 256 * 40 * (RECURRENT[kind] * 16 + 8) * 4
    assert kept <= told.parts["activations"] < kept + 256 * 40 * 16 * 4
    assert told.settled
    assert any("1 recurrent layer keeps" in note for note in told.notes)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow alone traces a graph with loops")
def test_a_loop_of_which_nothing_is_known_leaves_open_whether_it_fits():
    class Own(keras.layers.SimpleRNNCell):
        pass

    Own.__module__ = "mine"
    layer = keras.layers.RNN(Own(16))
    model = compiled(keras.Sequential([keras.Input((40, 8)), layer, keras.layers.Dense(3)]))
    data = {"x": np.zeros((64, 40, 8), "float32"), "y": np.zeros(64, "int64")}
    told = plan(model, {"room": 1000 * GIB}, **data)
    assert (told.fits, told.settled, told.largest) == (True, False, None)
    assert told.uncounted in told.notes


@pytest.mark.deep
def test_what_a_recurrent_layer_keeps_in_its_loop_is_counted_or_said():
    model = compiled(
        keras.Sequential([keras.Input((40, 8)), keras.layers.LSTM(16), keras.layers.Dense(3)])
    )
    data = {"x": np.zeros((64, 40, 8), "float32"), "y": np.zeros(64, "int64")}
    told = plan(model, {"room": GIB, "rows": 256}, **data)
    said = any("loops" in note for note in told.notes)
    states = 256 * 40 * 16 * 4
    kept = sum(told.parts.get(name, 0) for name in ("activations", "assigned"))
    assert said or kept > 4 * states
    if said:  # then nothing is claimed of what fits, either
        assert told.largest is None
        assert told.settled is not True or not told.fits


@pytest.mark.skipif(BACKEND != "jax", reason="XLA tells what it assigns with JAX alone")
def test_xla_itself_tells_the_plan_of_the_device_that_is_here():
    import jax

    model = wide()
    told = plan(model, {"room": GIB, "cpu": True}, **of_64(), batch_size=512)
    consistent(told)
    assert (told.settled, told.moment) == (True, "compiled step")
    assert not model.optimizer.built
    x, y = np.zeros((512, 64), "float32"), np.zeros(512, "int64")
    model.train_on_batch(x, y)
    kinds = ("trainable", "non_trainable", "optimizer", "metrics")
    state = tuple(model._get_jax_state(**{f"{kind}_variables": True for kind in kinds}))
    told_by = jax.jit(model.train_step, donate_argnums=0).lower(state, (x, y)).compile()
    real = told_by.memory_analysis()
    whole = real.argument_size_in_bytes + real.output_size_in_bytes + real.temp_size_in_bytes
    assert told.peak == pytest.approx(whole - real.alias_size_in_bytes, rel=0.02)


@pytest.mark.skipif(BACKEND != "jax", reason="XLA tells what it assigns with JAX alone")
def test_what_xla_chooses_on_a_gpu_that_is_not_there_is_not_claimed():
    far = plan(wide(), {"room": 1000 * GIB}, **of_64(), batch_size=512)
    assert far.settled
    told = plan(wide(), {"room": far.total + 2 * far.peak}, **of_64(), batch_size=512)
    assert (told.fits, told.settled) == (True, False)
    assert any("is not known" in note for note in told.notes)
    here = plan(wide(), {"room": GIB, "cpu": True}, **of_64(), batch_size=512)
    assert told.peak >= here.peak


class Own(keras.Model):
    """Has no call: its train_step takes what it needs from its part, and the rows from the data."""

    def __init__(self):
        super().__init__()
        self.inner = keras.layers.Dense(64)
        self.inner.build((None, 64))

    def train_step(self, data):
        import tensorflow as tf

        ones = tf.ones((tf.shape(data)[0], 64))
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self.inner(data) - ones) ** 2)
        self.optimizer.apply_gradients(
            zip(
                tape.gradient(loss, self.trainable_variables),
                self.trainable_variables,
                strict=True,
            )
        )
        return {"loss": loss}


@pytest.mark.skipif(BACKEND != "tensorflow", reason="its step is written for TensorFlow")
def test_a_model_that_only_its_step_runs_gets_its_data_as_fit_hands_them():
    model = Own()
    model.compile("adam")
    told = pipeline(
        model, x=np.zeros((64, 64), "float32"), batch_size=32, memory={"room": GIB}
    ).fact(MemoryPlan)
    assert told.fits
    assert told.parts["states"] >= 2 * told.parts["weights"] * 0.99
