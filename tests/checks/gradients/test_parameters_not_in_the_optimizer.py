from __future__ import annotations

from typing import Any

from pipedoctor import Severity
from pipedoctor.facts import Group, Model, Optimizer, Parameter
from pipedoctor_checks.gradients.parameters_not_in_the_optimizer import (
    parameters_not_in_the_optimizer,
)

NAMES = ("bert.layer.0.weight", "classifier.weight", "classifier.bias")


def found(*missing: str, strangers: tuple[tuple[int, ...], ...] = (), **model: Any) -> list[Any]:
    held = tuple(name for name in NAMES if name not in missing)
    fact = Optimizer("AdamW", (Group(held),), dict.fromkeys(missing, 10), strangers, 30)
    parameters = {name: Parameter((10,), "float32", trainable=True) for name in NAMES}
    return list(parameters_not_in_the_optimizer(fact, Model("M", parameters, **model)))


def test_all_are_held() -> None:
    assert found() == []


def test_a_layer_that_was_replaced() -> None:
    (finding,) = found("classifier.weight", "classifier.bias", strangers=((2, 16), (2,)))
    assert finding.severity is Severity.ERROR
    assert "lacks 2 trainable parameters (20 elements, 66.7%): classifier; it holds 2 that" in (
        finding.message
    )


def test_an_optimizer_of_another_model() -> None:
    (finding,) = found(*NAMES, strangers=((10,), (10,), (10,)))
    assert finding.severity is Severity.ERROR
    assert finding.message.startswith("AdamW holds none of the 3 trainable parameters")


def test_a_new_head_that_is_left_out() -> None:
    head = frozenset({"classifier.weight", "classifier.bias"})
    (finding,) = found(*head, new=head)
    assert finding.severity is Severity.WARNING
    assert "has never been trained" in finding.message


def test_layers_that_are_left_out_on_purpose() -> None:
    (finding,) = found("bert.layer.0.weight", new=frozenset({"classifier.weight"}))
    assert finding.severity is Severity.NOTE
    assert "requires_grad = False" in finding.remedy


def test_strangers_beside_all_that_is_the_models_are_no_fault() -> None:
    assert found(strangers=((1, 1),)) == []
