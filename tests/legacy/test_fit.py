"""What is known of a fit of Keras 2, and that looking at it leaves it as it was."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pipedoctor import frameworks
from pipedoctor.fact import Split
from pipedoctor.facts import Compiled, Forward, Gradients, Labels, Model, Outputs
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline


def pipeline(**parts: Any) -> Pipeline:
    held = Parts(frameworks.given(parts))
    return Pipeline(held, frameworks.probes(held))


@pytest.fixture
def lent(tf_keras: Any) -> Any:
    import transformers

    def build(**compiled: Any) -> Any:
        tf_keras.utils.set_random_seed(0)
        small = {"dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 16}
        config = transformers.DistilBertConfig(
            vocab_size=50, max_position_embeddings=16, num_labels=3, **small
        )
        model = transformers.TFDistilBertForSequenceClassification(config)
        model.compile("adam", **compiled)
        return model

    return build


@pytest.fixture
def dense(tf_keras: Any) -> Any:
    layers = tf_keras.layers

    def build() -> Any:
        tf_keras.utils.set_random_seed(0)
        inner = [layers.Dense(8, activation="relu"), layers.Dropout(0.3)]
        inner += [layers.BatchNormalization(), layers.Dense(3, activation="softmax")]
        model = tf_keras.Sequential(inner)
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    return build


def test_the_loss_of_a_model_of_transformers_is_its_own(lent: Any, rows: Any) -> None:
    looked = pipeline(model=lent(), x=rows, batch_size=4)
    compiled = looked.fact(Compiled)
    assert (compiled.library, compiled.lender) == ("tf_keras", "transformers")
    assert (compiled.optimizer, compiled.learning_rate) == ("Adam", pytest.approx(1e-3))
    assert compiled.optimizer_by_name
    (loss,) = compiled.losses
    assert (loss.name, loss.from_logits) == ("sparse_categorical_crossentropy", True)
    forward = looked.fact(Forward, Split.TRAIN)
    assert forward.loss == pytest.approx(math.log(3), abs=0.05)
    assert sum(forward.row_losses) / 4 == pytest.approx(forward.loss, rel=1e-5)


def test_labels_among_the_inputs_are_labels(lent: Any, rows: Any) -> None:
    looked = pipeline(model=lent(), x=rows)
    assert looked.fact(Labels, Split.TRAIN).distinct == 3
    (output,) = looked.fact(Outputs).outputs
    assert (output.name, output.units, output.activation) == ("logits", 3, "linear")
    assert output.targets is not None
    assert output.targets.maximum == 2


def test_the_gradients_are_of_all_parameters(lent: Any, rows: Any) -> None:
    looked = pipeline(model=lent(), x=rows, batch_size=4)
    gradients = looked.fact(Gradients)
    assert set(gradients.of) == set(looked.fact(Model).parameters)
    assert all(one.reached for one in gradients.of.values())


def test_rows_of_a_hub_data_set(lent: Any, rows: Any) -> None:
    import datasets

    plain = datasets.Dataset.from_dict({name: list(column) for name, column in rows.items()})
    made = plain.to_tf_dataset(batch_size=4, columns=["input_ids", "labels"], shuffle=False)
    assert pipeline(model=lent(), x=made).fact(Labels, Split.TRAIN).distinct == 3


def looked_at(model: Any, **data: Any) -> None:
    looked = pipeline(model=model, **data)
    for fact in (Outputs, Gradients):
        looked.fact(fact)
    looked.fact(Forward, Split.TRAIN)


@pytest.mark.smoke
def test_a_fit_is_the_same_after_it_was_looked_at(lent: Any, dense: Any, rows: Any) -> None:
    import numpy as np

    x = np.random.default_rng(0).normal(size=(16, 4))
    cases = [(lent, {"x": rows}), (dense, {"x": x, "y": rows["labels"]})]
    for build, data in cases:
        histories = []
        for look in (False, True):
            model = build()
            if look:
                looked_at(model, **data, batch_size=4)
            histories.append(model.fit(**data, batch_size=4, epochs=2, verbose=0).history)
        assert histories[0] == histories[1]


def test_weights_optimizer_and_metrics_are_bit_for_bit_what_they_were(
    dense: Any, rows: Any
) -> None:
    import numpy as np

    model, x = dense(), np.random.default_rng(0).normal(size=(16, 4))
    model.fit(x, rows["labels"], verbose=0)
    held = [*model.variables, *model.optimizer.variables]
    held += [variable for metric in model.metrics for variable in metric.variables]
    before = [variable.numpy().tobytes() for variable in held]
    looked_at(model, x=x, y=rows["labels"], batch_size=4)
    assert [variable.numpy().tobytes() for variable in held] == before


def test_an_examination_of_a_healthy_fit_runs_all_of_it_and_finds_nothing(tf_keras: Any) -> None:
    import numpy as np

    from pipedoctor import examine

    tf_keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    y = random.integers(0, 3, 200)
    x = np.eye(3)[y] + random.normal(0, 0.1, (200, 3))
    inner = tf_keras.layers.Dense(8, activation="relu")
    model = tf_keras.Sequential([inner, tf_keras.layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    report = examine(model, x=x, y=y, epochs=3, validation_split=0.2)
    assert [entry.rule.code for entry in report.entries] == []
    told = {row["fact"]: row for row in report.facts}
    assert told["Gradients"]["loss"] == pytest.approx(math.log(3), abs=0.5)
