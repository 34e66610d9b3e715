"""Weights of classes that a fit has, or could do with."""

from __future__ import annotations

from typing import Any

import pytest

from pipedoctor import Severity
from pipedoctor.facts import Fit, Labels
from pipedoctor.facts.fit import DATASET
from pipedoctor_checks.data.one_class_nearly_alone import one_class_nearly_alone
from pipedoctor_checks.keras.class_weight_without_effect import class_weight_without_effect

LABELS = Labels("y", "int", 100, counts={0: 60, 1: 40}, distinct=2)


def fit(data: str = "arrays", **more: Any) -> Fit:
    return Fit(epochs=3, data=data, **more)


def test_names_of_classes_are_never_looked_up() -> None:
    (found,) = class_weight_without_effect(fit(weighted_names={"cat": 1.0, "dog": 5.0}), LABELS)
    assert "'cat', 'dog'" in found.message
    assert "(0, 1)" in found.message
    assert found.remedy.startswith("class_weight={0: 1.0, 1: 5.0}, ")
    assert found.message.endswith("each row counts 1")
    (found,) = class_weight_without_effect(fit(DATASET, weighted_names={"cat": 2.0}), None)
    assert found.severity is Severity.ERROR


def test_numbers_that_count_from_one() -> None:
    (found,) = class_weight_without_effect(fit(class_weight={1: 1.0, 2: 5.0}), LABELS)
    assert "the weight of 2 is never used, and rows of class 0 count 1" in found.message
    assert found.remedy == "class_weight={0: 1.0, 1: 5.0}"


@pytest.mark.parametrize("weights", [None, {0: 1.0, 1: 2.0}, {1: 5.0}, {0: 1.0, 1: 2.0, 2: 3.0}])
def test_weights_of_classes_that_there_are(weights: dict[int, float] | None) -> None:
    assert list(class_weight_without_effect(fit(class_weight=weights), LABELS)) == []


def test_labels_that_are_no_classes_or_not_all_read() -> None:
    given = fit(class_weight={1: 1.0, 2: 5.0})
    some = Labels("y", "int", 100, counts={0: 60, 1: 40}, distinct=2, partial=True)
    for labels in (None, some, Labels("y", "float", 100, counts={0.5: 100}, distinct=1)):
        assert list(class_weight_without_effect(given, labels)) == []
    hot = Labels("y", "float", 200, width=3, hot_counts=(100, 50, 50))
    (found,) = class_weight_without_effect(fit(class_weight={1: 1.0, 2: 5.0, 3: 2.0}), hot)
    assert "the weight of 3" in found.message


def test_the_cures_of_a_rare_class_are_those_of_fit() -> None:
    rare = Labels("y", "int", 1000, counts={0: 970, 1: 30}, distinct=2)
    (found,) = one_class_nearly_alone(rare, None, fit())
    assert "model.predict(x_val)" in found.remedy
    assert found.alternatives == (
        "weight the loss by class: fit(…, class_weight={0: 0.515, 1: 16.7})",
    )
    (found,) = one_class_nearly_alone(rare, None, fit(class_weight={0: 1.0, 1: 20.0}))
    assert found.alternatives == ()
    (found,) = one_class_nearly_alone(rare, None)
    assert "CrossEntropyLoss" in found.alternatives[0]
