from __future__ import annotations

import pytest

from pipedoctor import Severity
from pipedoctor.facts import Model, Parameter
from pipedoctor_checks.gradients.frozen_by_accident import frozen_by_accident

SHAPES = {
    "bert.encoder.weight": (16, 16),
    "bert.encoder.bias": (16,),
    "bert.norm.weight": (16,),
    "classifier.weight": (2, 16),
    "classifier.bias": (2,),
}


def found(*trained: str, shapes: dict[str, tuple[int, ...]] = SHAPES) -> list:
    parameters = {n: Parameter(s, "float32", n in trained) for n, s in shapes.items()}
    return list(frozen_by_accident(Model("M", parameters)))


def test_nothing_to_train() -> None:
    (finding,) = found()
    assert finding.message.startswith("None of the 5 parameters of M is trainable")
    assert finding.severity is None


def test_only_norms_and_a_frozen_head() -> None:
    (finding,) = found("bert.norm.weight")
    assert finding.severity is Severity.WARNING
    assert "16 of 322 elements are trainable (5.0%)" in finding.message
    assert finding.where.layer == "classifier"


@pytest.mark.parametrize(
    "trained",
    [
        tuple(SHAPES),
        ("classifier.weight", "classifier.bias"),
        ("bert.encoder.bias", "classifier.weight", "classifier.bias"),
        ("bert.encoder.weight",),
    ],
    ids=["all", "a linear probe", "BitFit", "the encoder under a finished head"],
)
def test_what_people_freeze_on_purpose(trained: tuple[str, ...]) -> None:
    assert found(*trained) == []


def test_a_model_without_a_head_that_we_know() -> None:
    assert found("norm.weight", shapes={"layer.weight": (2, 2), "norm.weight": (2,)}) == []


def test_a_model_without_parameters() -> None:
    assert found(shapes={}) == []
