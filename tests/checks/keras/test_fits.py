"""What is judged of a fit: outputs against losses and labels, inputs, layers, how long, who looks on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import facts
import pytest

from pipedoctor import Finding, Severity
from pipedoctor.facts import (
    Compiled,
    Fit,
    FitCallback,
    Forward,
    Gradients,
    Input,
    Inputs,
    Labels,
    Layer,
    Layers,
    Output,
    OutputLoss,
    Outputs,
    Script,
    Targets,
    Weight,
)
from pipedoctor_checks.data.all_rows_of_one_class import all_rows_of_one_class
from pipedoctor_checks.data.class_missing_from_a_split import class_missing_from_a_split
from pipedoctor_checks.data.inputs_not_scaled import inputs_not_scaled
from pipedoctor_checks.data.targets_out_of_reach import targets_out_of_reach
from pipedoctor_checks.gradients.batch_norm_statistics_lag import batch_norm_statistics_lag
from pipedoctor_checks.gradients.weights_identical_or_zero import weights_identical_or_zero
from pipedoctor_checks.keras.activation_of_another_task import activation_of_another_task
from pipedoctor_checks.keras.categorical_loss_on_one_unit import categorical_loss_on_one_unit
from pipedoctor_checks.keras.data_run_out import data_run_out
from pipedoctor_checks.keras.data_without_end import data_without_end
from pipedoctor_checks.keras.label_without_a_unit import label_without_a_unit
from pipedoctor_checks.keras.labels_in_another_form import labels_in_another_form
from pipedoctor_checks.keras.loss_and_output_disagree_on_logits import (
    loss_and_output_disagree_on_logits,
)
from pipedoctor_checks.keras.monitored_name_not_produced import monitored_name_not_produced
from pipedoctor_checks.keras.softmax_on_one_unit import softmax_on_one_unit
from pipedoctor_checks.keras.token_beyond_the_table import token_beyond_the_table
from pipedoctor_checks.keras.validation_split_of_sorted_rows import (
    validation_split_of_sorted_rows,
)


def compiled(backend: str = "tensorflow", library: str = "keras") -> Compiled:
    return Compiled(library, "3.15.1", backend, metrics=("loss", "accuracy"))


TENSORFLOW = compiled()


def outputs(
    units: int,
    activation: str,
    loss: str,
    targets: Targets | None = None,
    *,
    logits: bool | None = False,
    **more: Any,
) -> Outputs:
    met = OutputLoss("out", loss, from_logits=logits, **more.pop("loss_words", {}))
    made = Output(
        "out", "out", "Dense", units, (None, units), activation, "graph",
        loss=met, targets=targets, **more,
    )  # fmt: skip
    return Outputs((made,), labels=1)


def labels(low: float, high: float, shape: tuple[int, ...] = (), **more: Any) -> Targets:
    usual: dict[str, Any] = {"whole": True, "distinct": int(high - low) + 1}
    return Targets("int", shape, "int64", 100, low, high, **{**usual, **more})


def fit(**more: Any) -> Fit:
    usual: dict[str, Any] = {"epochs": 3, "data": "arrays", "rows": 320, "batches": 10}
    return Fit(**{**usual, "batch_size": 32, "steps": 10, **more})


ONE_HOT = labels(0, 1, (3,), one_hot=True, multi_hot=True, mean=1 / 3)
SEVERAL = labels(0, 1, (3,), one_hot=False, multi_hot=True, mean=0.5)
PAIRS = labels(0, 1, (2,), one_hot=True, multi_hot=True, mean=1 / 2)
NUMBERS = labels(0, 2)

HEALTHY = [
    outputs(3, "softmax", "sparse_categorical_crossentropy", NUMBERS),
    outputs(3, "linear", "sparse_categorical_crossentropy", NUMBERS, logits=True),
    outputs(3, "softmax", "categorical_crossentropy", ONE_HOT),
    outputs(3, "linear", "categorical_crossentropy", ONE_HOT, logits=True),
    outputs(3, "sigmoid", "binary_crossentropy", SEVERAL),
    outputs(3, "sigmoid", "binary_crossentropy", ONE_HOT),
    outputs(2, "softmax", "binary_crossentropy", PAIRS),
    outputs(1, "sigmoid", "binary_crossentropy", labels(0, 1)),
    outputs(1, "sigmoid", "binary_crossentropy", labels(0, 1, (1,))),
    outputs(1, "sigmoid", "mean_squared_error", labels(0, 1)),
    outputs(1, "linear", "binary_crossentropy", labels(0, 1), logits=True),
    outputs(1, "linear", "mean_squared_error", labels(-5, 50, whole=False)),
    outputs(1, "relu", "mean_squared_error", labels(0, 50)),
    outputs(1, "tanh", "mean_squared_error", labels(-1, 1, whole=False)),
    outputs(3, "linear", "mean_squared_error", labels(-5, 5, (3,), whole=False)),
    outputs(3, "linear", "mean_squared_error", None),
    # The softmax is the user's own, past what the graph of layers shows.
    outputs(
        3, "linear", "sparse_categorical_crossentropy", NUMBERS, minimum=0.1, maximum=0.8
    ),
    # -1 is left out by the loss.
    outputs(
        3, "softmax", "sparse_categorical_crossentropy", labels(-1, 2),
        loss_words={"parameters": {"ignore_class": -1}},
    ),
]  # fmt: skip


def judge(made: Outputs) -> list[Finding]:
    """Everything that is said of one output, by the whole table."""
    return [
        *softmax_on_one_unit(made),
        *categorical_loss_on_one_unit(made),
        *loss_and_output_disagree_on_logits(made, TENSORFLOW),
        *labels_in_another_form(made),
        *label_without_a_unit(made, TENSORFLOW),
        *activation_of_another_task(made),
        *targets_out_of_reach(made),
    ]


@pytest.mark.parametrize("made", HEALTHY)
def test_outputs_that_fit_their_loss_and_labels(made: Outputs) -> None:
    assert judge(made) == []


@pytest.mark.parametrize(
    ("made", "words", "cure"),
    [
        (outputs(1, "softmax", "binary_crossentropy", labels(0, 1)), "output 1.0", "sigmoid"),
        (
            outputs(1, "sigmoid", "categorical_crossentropy", labels(0, 1)),
            "compares classes",
            "binary_crossentropy",
        ),
        (
            outputs(3, "linear", "sparse_categorical_crossentropy", NUMBERS, minimum=-2.0, maximum=3.0),
            "gives scores (-2 to 3 in the first batch)",
            "SparseCategoricalCrossentropy(from_logits=True)",
        ),
        (
            outputs(1, "tanh", "binary_crossentropy", labels(0, 1)),
            "has activation tanh",
            'activation="sigmoid"',
        ),
        (
            outputs(3, "softmax", "sparse_categorical_crossentropy", NUMBERS, logits=True),
            "from_logits=True",
            "delete from_logits=True",
        ),
        (
            outputs(3, "softmax", "sparse_categorical_crossentropy", labels(1, 3)),
            "from 1 to 3",
            "y = y - 1",
        ),
        (
            outputs(3, "softmax", "sparse_categorical_crossentropy", labels(0, 9)),
            "knows 0 to 2",
            "Dense(10, …)",
        ),
        (
            outputs(3, "softmax", "sparse_categorical_crossentropy", labels(-1, 2)),
            "from -1 to 2",
            "ignore_class=-1",
        ),
        (
            outputs(3, "softmax", "sparse_categorical_crossentropy", ONE_HOT),
            "one-hot",
            'loss="categorical_crossentropy"',
        ),
        (
            outputs(3, "softmax", "categorical_crossentropy", NUMBERS),
            "class numbers",
            'loss="sparse_categorical_crossentropy"',
        ),
        (
            outputs(5, "softmax", "categorical_crossentropy", ONE_HOT),
            "gives 5",
            "3 units",
        ),
        (
            outputs(3, "linear", "mean_squared_error", labels(-5, 5, whole=False)),
            "the same number",
            "1 unit",
        ),
        (
            outputs(3, "relu", "sparse_categorical_crossentropy", NUMBERS, logits=True),
            "cuts off scores",
            "no activation",
        ),
        (
            outputs(3, "sigmoid", "categorical_crossentropy", ONE_HOT),
            "judges each class on its own",
            'activation="softmax"',
        ),
        (
            outputs(3, "softmax", "binary_crossentropy", SEVERAL),
            "1.5 labels each",
            'activation="sigmoid"',
        ),
        (
            outputs(1, "sigmoid", "mean_squared_error", labels(9, 61, whole=False)),
            "gives 0 to 1",
            "no activation",
        ),
        (
            outputs(1, "relu", "mean_absolute_error", labels(-3, 3, whole=False)),
            "nothing below 0",
            "no activation",
        ),
        (
            outputs(1, "sigmoid", "binary_crossentropy", labels(1, 2)),
            "takes 0 to 1",
            "y = (y == 2)",
        ),
        (
            outputs(1, "sigmoid", "binary_crossentropy", labels(0, 9)),
            "takes 0 to 1",
            "10 units",
        ),
    ],
)  # fmt: skip
def test_each_fault_is_one_finding_with_its_cure(made: Outputs, words: str, cure: str) -> None:
    (found,) = judge(made)
    assert words in found.message
    assert cure in found.remedy


@pytest.mark.parametrize(
    ("backend", "fate"),
    [("tensorflow", "NaN"), ("torch", "raises"), ("jax", "says nothing")],
)
def test_what_a_label_without_a_unit_leads_to(backend: str, fate: str) -> None:
    made = outputs(2, "softmax", "sparse_categorical_crossentropy", NUMBERS)
    (found,) = label_without_a_unit(made, compiled(backend))
    assert fate in found.message


def test_the_validation_data_decides_about_classes_too() -> None:
    def told(train: Targets, held_out: Targets) -> Any:
        made = outputs(3, "softmax", "sparse_categorical_crossentropy", train, held_out=held_out)
        return list(label_without_a_unit(made, compiled()))

    (shifted,) = told(labels(1, 3), labels(1, 3))
    assert shifted.remedy.startswith("y = y - 1")
    assert shifted.alternatives == ()
    (zero_elsewhere,) = told(labels(1, 3), labels(0, 3))
    assert zero_elsewhere.remedy.startswith("Dense(4, …)")
    (only_there,) = told(labels(0, 2), labels(0, 5))
    assert "The labels of the validation data go from 0 to 5" in only_there.message
    assert only_there.remedy.startswith("Dense(6, …)")
    assert told(labels(0, 2), labels(1, 2)) == []
    part = replace(labels(1, 3), complete=False)  # a 0 may follow
    (unsure,) = told(part, labels(1, 3))
    assert unsure.remedy.startswith("y = y - 1")
    assert unsure.alternatives == ("Dense(4, …) as the last layer",)


def test_a_loss_of_ones_own_is_not_judged() -> None:
    made = outputs(3, "linear", "mine", NUMBERS, loss_words={"own": True})
    assert judge(made) == []


def image(low: float = 0, high: float = 255, layer: str = "Conv2D", **more: Any) -> Inputs:
    usual: dict[str, Any] = {"mean": 127.0, "std": 70.0, "features": 784, "layer": layer}
    usual["whole"] = True
    one = Input("x", (28, 28, 1), "float32", 500, low, high, **{**usual, **more})
    return Inputs((one,), 500, complete=True, part="all 500 rows")


STACK = Layers("m", "Sequential", (Layer("flat", "flat", "Flatten"), Layer("d", "d", "Dense")))
TEN = outputs(10, "softmax", "sparse_categorical_crossentropy", labels(0, 9))


def test_pixels_are_a_warning_where_the_loss_proves_it_else_a_note() -> None:
    (proven,) = inputs_not_scaled(image(), STACK, TEN, Forward((0,), ("x",), 40.0))
    assert proven.severity is None
    assert "the loss starts at 40, guessing has 2.3" in proven.message
    (mild,) = inputs_not_scaled(image(), STACK, TEN, Forward((0,), ("x",), 2.9))
    assert mild.severity is Severity.NOTE
    yes = outputs(1, "sigmoid", "binary_crossentropy", labels(0, 1))
    for optimizer, severity in (("SGD", None), ("Adam", Severity.NOTE)):
        by = Compiled("keras", "3.15.1", "jax", optimizer=optimizer)
        (found,) = inputs_not_scaled(image(), STACK, yes, Forward((0,), ("x",), 9.8), by)
        assert found.severity is severity


def test_inputs_of_usual_size_or_that_a_layer_scales() -> None:
    start = Forward((0,), ("x",), 2.4)
    for made in (
        image(-2.0, 4.0, std=1.0),
        image(layer="Rescaling"),
        image(layer="Embedding"),
        image(layer="BatchNormalization"),
        image(layer=""),
        image(0, 1, std=0.3),
    ):
        assert list(inputs_not_scaled(made, STACK, TEN, start)) == []


def test_pixels_are_whole_numbers_and_their_range_is_told() -> None:
    (found,) = inputs_not_scaled(image(3, 251), STACK, None, None)
    assert "The inputs x are pixels from 3 to 251 (mean" in found.message
    assert list(inputs_not_scaled(image(3, 251, whole=False), STACK, None, None)) == []


def one_hot(classes: int, **more: Any) -> Outputs:
    targets = labels(0, 1, (3,), one_hot=True, multi_hot=True, classes=classes, **more)
    return outputs(3, "softmax", "categorical_crossentropy", targets)


WIDE = Labels("y", "float", 100, width=3)


def test_one_hot_labels_of_one_class() -> None:
    (found,) = all_rows_of_one_class(WIDE, None, one_hot(1), fit())
    assert "All 100 training rows have their 1 in the same of 3 columns" in found.message
    assert "train_test_split(x, y, train_size=n, stratify=y)" in found.remedy
    for made in (one_hot(2), one_hot(1, complete=False), None):
        assert list(all_rows_of_one_class(WIDE, None, made, fit())) == []
    assert list(all_rows_of_one_class(WIDE, None, one_hot(1), None, least=101)) == []


@pytest.mark.parametrize(
    ("units", "optimizer", "grave"), [(3, "SGD", False), (10, "SGD", True), (10, "Adam", False)]
)
def test_a_softmax_over_one_hot_classes_with_a_loss_of_yes_and_no(
    units: int, optimizer: str, grave: bool
) -> None:
    targets = labels(0, 1, (units,), one_hot=True, multi_hot=True, mean=1 / units)
    made = outputs(units, "softmax", "binary_crossentropy", targets)
    by = Compiled("keras", "3.15.1", "tensorflow", optimizer=optimizer)
    (found,) = activation_of_another_task(made, by)
    assert f"start {units - 1} times smaller" in found.message
    assert found.remedy == 'loss="categorical_crossentropy"'
    assert found.severity is (None if grave else Severity.NOTE)


def test_cures_are_in_the_words_of_the_data() -> None:
    alike = Labels("y", "int", 100, {1: 100})
    arrays, stream = fit(), fit(data="tf.data.Dataset")
    (one,) = all_rows_of_one_class(alike, None, None, stream)
    assert "shuffle all rows before" in one.remedy
    (table,) = all_rows_of_one_class(alike, None)
    assert "data.select(range(n))" in table.remedy
    train, evaluation = (
        Labels("y", "int", 100, {0: 50, 1: 50}),
        Labels("y", "int", 60, {1: 30, 2: 30}),
    )
    (split, *_) = class_missing_from_a_split(train, evaluation, None, arrays)
    assert "train_test_split(x, y, test_size=0.1, stratify=y), and fit(x, y" in split.remedy
    (batches, *_) = class_missing_from_a_split(train, evaluation, None, stream)
    assert "before the batches are made" in batches.remedy
    (column, *_) = class_missing_from_a_split(train, evaluation, None)
    assert "stratify_by_column='y'" in column.remedy


def test_the_layer_behind_a_flatten_is_the_one_that_counts() -> None:
    (found,) = inputs_not_scaled(image(layer="Flatten"), STACK, None, None)
    assert "go into Dense" in found.message


def test_columns_of_very_different_size() -> None:
    one = Input("x", (4,), "float32", 500, -5, 9e6, 1e5, 1e6, features=4, scales=(0.2, 2e6))
    table = Inputs((replace(one, layer="Dense"),), 500, complete=True, part="all 500 rows")
    (found,) = inputs_not_scaled(table, STACK, None, None)
    assert found.severity is None
    assert "0.2 to 2e+06" in found.message
    assert "Normalization" in found.remedy


def dense(name: str, *, alike: int = 1, zero: bool = False, trainable: bool = True) -> Layer:
    spread = {"std": 0.0} if zero else {"std": 0.1, "minimum": -1.0, "maximum": 1.0}
    kernel = Weight("kernel", (4, 8), "float32", trainable, alike=8 if zero else alike, **spread)
    return Layer(name, name, "Dense", units=8, trainable=trainable, weights=(kernel,))


def test_hidden_layers_whose_units_are_copies() -> None:
    stack = Layers("m", "Sequential", (dense("a", zero=True), dense("b"), dense("last")))
    (found,) = weights_identical_or_zero(stack, None)
    assert "kernel of a" in found.message
    assert "all zero" in found.message
    (same,) = weights_identical_or_zero(
        Layers("m", "Sequential", (dense("a", alike=8), dense("last"))), None
    )
    assert "the same for all units" in same.message


def test_zeros_that_are_a_method() -> None:
    last = Layers("m", "Sequential", (dense("a"), dense("last", zero=True)))
    branch = Layers("m", "Functional", (dense("a"), dense("b", zero=True), dense("c"), dense("d")))
    frozen = Layers("m", "Sequential", (dense("a", zero=True, trainable=False), dense("last")))
    for made in (last, branch, frozen):
        assert list(weights_identical_or_zero(made, None)) == []


def norm(momentum: float = 0.99, mean: float = 0.0) -> Layers:
    still = {"minimum": mean, "maximum": mean}
    weights = (
        Weight("moving_mean", (4,), "float32", False, **still),
        Weight("moving_variance", (4,), "float32", False, minimum=1.0, maximum=1.0),
    )
    one = Layer("bn", "bn", "BatchNormalization", settings={"momentum": momentum}, weights=weights)
    return Layers("m", "Sequential", (one,))


def test_batch_normalisation_that_is_updated_too_few_times() -> None:
    (found,) = batch_norm_statistics_lag(norm(), fit(steps=4, epochs=4), None)
    assert found.severity is Severity.NOTE  # nobody evaluates it
    (found,) = batch_norm_statistics_lag(norm(), fit(steps=4, epochs=4, validation="split"), None)
    assert found.severity is None
    assert "16 times: the moving statistics still hold 85% " in found.message
    assert "momentum=0.83" in found.remedy


@pytest.mark.parametrize(("line", "graver"), [("model.evaluate(x, y)", True), ("", False)])
def test_a_script_that_evaluates_makes_slow_statistics_graver(line: str, graver: bool) -> None:
    text = f"import keras\nmodel = keras.Sequential()\nmodel.fit(x, y)\n{line}\n"
    read = facts.pipeline(script=text).fact(Script)
    (found,) = batch_norm_statistics_lag(norm(), fit(steps=4, epochs=4), read)
    assert (found.severity is None) is graver


def test_batch_normalisation_with_time_enough_or_statistics_of_its_own() -> None:
    for layers, how in (
        (norm(), fit(steps=100, epochs=10)),
        (norm(0.5), fit(steps=4, epochs=4)),
        (norm(mean=0.3), fit(steps=4, epochs=4)),
    ):
        assert list(batch_norm_statistics_lag(layers, how, None)) == []


def test_a_generator_is_gone_through_once() -> None:
    def once(**more: Any) -> Fit:
        return fit(data="generator", reread=False, batches=None, rows=None, **more)

    (found,) = data_run_out(once(), TENSORFLOW)
    assert "the last 2 train on nothing" in found.message
    assert list(data_run_out(once(epochs=1), TENSORFLOW)) == []
    assert list(data_run_out(once(steps_per_epoch=5), TENSORFLOW)) == []


def test_more_steps_than_batches_stop_keras_2_only() -> None:
    asked = fit(data="tf.data.Dataset", steps_per_epoch=20)
    (found,) = data_run_out(asked, TENSORFLOW)
    assert found.severity is Severity.NOTE
    (far,) = data_run_out(fit(data="tf.data.Dataset", steps_per_epoch=100), TENSORFLOW)
    assert far.severity is None  # the check's own: a warning
    (legacy,) = data_run_out(asked, compiled(library="tf_keras"))
    assert legacy.severity is None
    assert list(data_run_out(fit(steps_per_epoch=10), TENSORFLOW)) == []


def test_an_epoch_that_never_ends() -> None:
    (found,) = data_without_end(fit(data="tf.data.Dataset", batches=None, rows=None))
    assert "never ends" in found.message
    (held,) = data_without_end(fit(validation="tf.data.Dataset", validation_batches=None))
    assert "validation" in held.message
    assert list(data_without_end(fit(batches=None, rows=None, steps_per_epoch=7))) == []
    assert list(data_without_end(fit(validation="arrays", validation_batches=3))) == []


def counted(counts: dict[Any, int], kind: str = "int") -> Labels:
    return Labels("y", kind, sum(counts.values()), counts=counts, distinct=len(counts))


def test_a_split_off_the_end_of_sorted_rows() -> None:
    split = fit(validation="split", validation_split=0.3)
    (found,) = validation_split_of_sorted_rows(
        counted({0: 100, 1: 100, 2: 10}), counted({2: 90}), split
    )
    assert "90 have the label 2" in found.message
    for train, held in (
        (counted({0: 70, 1: 70, 2: 70}), counted({0: 30, 1: 30, 2: 30})),
        (counted({0: 100, 1: 100}), counted({2: 5})),
        (counted({0: 210}), counted({0: 90})),
    ):
        assert list(validation_split_of_sorted_rows(train, held, split)) == []
    given = fit(validation="arrays")
    assert list(validation_split_of_sorted_rows(counted({0: 99}), counted({1: 99}), given)) == []


def test_a_split_off_the_end_of_sorted_one_hot_rows() -> None:
    split = fit(validation="split", validation_split=0.3)
    train = Labels("y", "float", 200, width=3, hot_counts=(100, 100, 0))
    (found,) = validation_split_of_sorted_rows(
        train, Labels("y", "float", 90, width=3, hot_counts=(0, 0, 90)), split
    )
    assert "90 have the label 2" in found.message
    mixed = Labels("y", "float", 90, width=3, hot_counts=(40, 40, 10))
    assert list(validation_split_of_sorted_rows(train, mixed, split)) == []


def test_whole_targets_of_a_regression_are_no_classes() -> None:
    """Most of them are there once or twice, so that any rows held out have some of their own."""
    split = fit(validation="split", validation_split=0.2)
    train = counted(dict.fromkeys(range(0, 1600, 2), 1), "float")
    held = counted(dict.fromkeys(range(1, 400, 2), 1), "float")
    assert list(validation_split_of_sorted_rows(train, held, split)) == []


def ids(high: float) -> Inputs:
    one = Input("ids", (6,), "int64", 200, 0, high, layer="Embedding")
    return Inputs((one,), 200, complete=True, part="all 200 rows")


def test_a_number_without_a_row_in_the_table() -> None:
    table = Layers(
        "m", "Sequential", (Layer("emb", "emb", "Embedding", settings={"input_dim": 100}),)
    )
    (found,) = token_beyond_the_table(ids(100), table)
    assert found.remedy == "Embedding(101, …)"
    assert list(token_beyond_the_table(ids(99), table)) == []


def watch(kind: str, validation: str | None = None, **parameters: Any) -> Fit:
    one = FitCallback(kind, {"mode": "auto", **parameters})
    return fit(callbacks=(one,), validation=validation)


def test_names_that_a_callback_waits_for_in_vain() -> None:
    (without,) = monitored_name_not_produced(
        watch("EarlyStopping", monitor="val_loss"), TENSORFLOW
    )
    assert "no validation data" in without.message
    (old,) = monitored_name_not_produced(watch("EarlyStopping", monitor="acc"), TENSORFLOW)
    assert old.remedy == 'monitor="accuracy"'
    assert old.severity is Severity.ERROR


def test_what_a_step_of_ones_own_logs_shows_when_it_runs() -> None:
    def told(validation: str | None = None, **parameters: Any) -> list[Finding]:
        own = Compiled("keras", "3.15.1", "tensorflow", own_train_step=True)
        step = Gradients("M", 1.0, {}, logged=("loss", "gap"))
        given = watch("EarlyStopping", validation, **parameters)
        return list(monitored_name_not_produced(given, own, step))

    assert told(monitor="gap") == []
    (found,) = told(monitor="accuracy")
    assert "the training produces gap, loss" in found.message
    assert told(validation="arrays", monitor="val_accuracy") == []
    (without,) = told(monitor="val_loss")
    assert "no validation data" in without.message


def test_names_that_are_there_or_not_looked_at() -> None:
    for made in (
        watch("EarlyStopping", monitor="accuracy"),
        watch("EarlyStopping", monitor="val_loss", validation="split"),
        watch("ModelCheckpoint", monitor="val_loss", save_best_only=False),
        fit(callbacks=(FitCallback("EarlyStopping", {"monitor": "mine"}, own=True),)),
    ):
        assert list(monitored_name_not_produced(made, TENSORFLOW)) == []
