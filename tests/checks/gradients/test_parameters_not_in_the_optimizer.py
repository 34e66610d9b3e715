from __future__ import annotations

from typing import Any

from pipedoctor import Severity
from pipedoctor.facts import Gradients, Group, Model, Optimizer, Parameter
from pipedoctor.facts.gradients import Gradient
from pipedoctor_checks.gradients.parameters_not_in_the_optimizer import (
    parameters_not_in_the_optimizer,
)

NAMES = ("bert.layer.0.weight", "classifier.weight", "classifier.bias")


def found(
    *missing: str,
    strangers: tuple[tuple[int, ...], ...] = (),
    gradients: Gradients | None = None,
    **model: Any,
) -> list[Any]:
    held = tuple(name for name in NAMES if name not in missing)
    fact = Optimizer("AdamW", (Group(held),), dict.fromkeys(missing, 10), strangers, 30)
    parameters = {name: Parameter((10,), "float32", trainable=True) for name in NAMES}
    subject = Model("M", parameters, **model)
    return list(parameters_not_in_the_optimizer(fact, subject, gradients))


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
    assert finding.severity is Severity.ERROR
    assert "classifier, the head, has never been trained" in finding.message
    assert "the parameters of classifier too" in finding.remedy


def test_a_new_head_that_is_left_out_with_trained_layers() -> None:
    head = frozenset({"classifier.weight", "classifier.bias"})
    (finding,) = found(*NAMES[:2], new=head)
    assert finding.severity is Severity.ERROR
    assert finding.where.layer == "classifier"


def test_a_new_layer_that_is_left_out_while_the_head_is_trained() -> None:
    (finding,) = found(NAMES[0], new=frozenset(NAMES))
    assert finding.severity is Severity.WARNING
    assert "bert.layer.0 has never been trained, and stays random" in finding.message


def test_a_new_layer_that_is_not_used_may_be_left_out() -> None:
    of = {name: Gradient(None, 10, reached=name != NAMES[0]) for name in NAMES}
    gradients = Gradients("M", 1.0, of)
    (finding,) = found(NAMES[0], new=frozenset(NAMES), gradients=gradients)
    assert finding.severity is Severity.NOTE


def test_the_last_matrix_is_the_head_where_no_name_says_so() -> None:
    parameters = {
        name: Parameter((8, 16), "float32", trainable=True) for name in ("a.weight", "o.weight")
    }
    model = Model("M", parameters, new=frozenset({"o.weight"}))
    fact = Optimizer("Adam", (Group(("a.weight",)),), {"o.weight": 128}, (), 256)
    (finding,) = parameters_not_in_the_optimizer(fact, model, None)
    assert finding.severity is Severity.ERROR
    assert "o, the head, has never been trained" in finding.message


def test_layers_that_are_left_out_on_purpose() -> None:
    (finding,) = found("bert.layer.0.weight", new=frozenset({"classifier.weight"}))
    assert finding.severity is Severity.NOTE
    assert "requires_grad = False" in finding.remedy


def test_strangers_beside_all_that_is_the_models_are_no_fault() -> None:
    assert found(strangers=((1, 1),)) == []
