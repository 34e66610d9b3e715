import pytest
from data_facts import head, labels, multi_hot
from facts import findings, the_finding

from pipedoctor.fact import UNKNOWN
from pipedoctor.facts.head import REGRESSION
from pipedoctor.finding import Severity
from pipedoctor_checks.labels.regression_head_for_classes import (
    regression_head_for_classes as check,
)


def test_classes_from_zero():
    facts = labels([0, 1, 2, 1], names={0: "yes", 1: "no", 2: "perhaps"})
    found = the_finding(check, facts, head(1))

    assert "the 4 labels are 3 integers, 0, 1, 2 (yes, no, perhaps)" in found.message
    assert found.severity is None
    assert found.remedy == 'set "num_labels": 3'


@pytest.mark.parametrize("values", [[0, 1], [-1, 1], [1, 2], [True, False]])
def test_two_values_are_two_classes(values):
    assert the_finding(check, labels(values), head(1)).severity is None


def test_stars_may_be_meant_as_a_scale():
    found = the_finding(check, labels([1, 2, 3, 4, 5]), head(1))

    assert found.severity is Severity.NOTE
    assert found.alternatives == ('problem_type="regression", if the labels are a scale',)
    assert "number the classes from 0 to 4" in found.remedy


@pytest.mark.parametrize(
    ("facts", "outputs"),
    [
        (labels([0, 1, 2]), head(3)),
        (labels([0, 1, 2]), head(1, problem_type=REGRESSION)),
        (labels([0.0, 1.0, 2.5]), head(1)),
        (labels([3, 3, 3]), head(1)),
        (labels([12, 47, 31, 5]), head(1)),  # ages
        (labels(list(range(30))), head(1)),
        (labels([0], counts=UNKNOWN), head(1)),
        (multi_hot([[0, 1], [1, 1]]), head(1)),
        (labels([0, 1], per_token=True), head(1, per_token=True)),
        (labels(["a", "b"]), head(1)),
    ],
)
def test_healthy(facts, outputs):
    assert not findings(check, facts, outputs)


def test_an_inferred_regression_is_not_a_stated_one():
    inferred = head(1, problem_type=REGRESSION, inferred="a head with 1 output")
    assert findings(check, labels([0, 1, 2]), inferred)
