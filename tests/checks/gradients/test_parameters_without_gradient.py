from __future__ import annotations

from typing import Any

import pytest

from pipedoctor import Severity
from pipedoctor.facts import Gradients
from pipedoctor.facts.gradients import Gradient, layer_of, places
from pipedoctor_checks.gradients.parameters_without_gradient import parameters_without_gradient

SIZES = {
    "bert.embeddings.weight": 1000,
    "bert.encoder.layer.0.query.weight": 100,
    "bert.encoder.layer.0.query.bias": 10,
    "bert.encoder.layer.1.query.weight": 100,
    "bert.encoder.layer.1.query.bias": 10,
    "bert.pooler.dense.weight": 100,
    "classifier.weight": 20,
}


def found(*without: str, sizes: dict[str, int] = SIZES, **more: Any) -> list[Any]:
    of = {
        name: Gradient(None, size, False)
        if name.startswith(without or "-")
        else Gradient(1.0, size)
        for name, size in sizes.items()
    }
    return list(parameters_without_gradient(Gradients("M", 0.7, of, connected=True, **more)))


def test_a_few_are_a_note() -> None:
    (finding,) = found("bert.embeddings", sizes={**SIZES, "bert.embeddings.weight": 100})
    assert finding.severity is Severity.NOTE
    assert (
        "1 of 7 trainable parameters (100 elements, 22.7%) get no gradient: bert.embeddings"
        in (finding.message)
    )
    assert finding.remedy.endswith("model.bert.embeddings.requires_grad_(False)")


@pytest.mark.parametrize(
    "name",
    [
        "bert.pooler.dense.weight",
        "dinov2.embeddings.mask_token",
        "transformer.mask_emb",
        "encoder.block.1.layer.1.mlp.experts.expert_3.wi.weight",
        "model.layers.0.mlp.experts.3.up_proj.weight",
    ],
)
def test_what_is_usual_is_not_mentioned(name: str) -> None:
    assert found(name, sizes={**SIZES, name: 10_000}) == []


def test_a_layer_in_the_midst_of_a_stack_is_a_warning() -> None:
    (finding,) = found("bert.encoder.layer.1")
    assert finding.severity is Severity.WARNING
    assert finding.where.layer == "bert.encoder.layer.1"
    assert finding.remedy.endswith("model.bert.encoder.layer[1].requires_grad_(False)")


def test_a_part_of_a_layer_is_named_by_itself() -> None:
    (finding,) = found("bert.encoder.layer.1.query.bias")
    assert finding.severity is Severity.NOTE
    assert finding.where.layer == "bert.encoder.layer.1.query.bias"


def test_half_of_the_model_is_a_warning() -> None:
    (finding,) = found("bert")
    assert finding.severity is Severity.WARNING
    assert "91.0%" in finding.message


def test_where_none_has_a_gradient_the_loss_is_at_fault() -> None:
    assert found("bert", "classifier") == []


def test_all_have_one() -> None:
    assert found() == []


def test_what_checkpointing_cut_off_is_told_elsewhere() -> None:
    cut = ("bert.encoder.layer.1.query.weight", "bert.encoder.layer.1.query.bias")
    assert found("bert.encoder.layer.1", cut=cut) == []


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("encoder.layer.3.query.weight", "encoder.layer.3"),
        ("classifier.weight", "classifier"),
        ("0.weight", "0"),
        ("scale", "scale"),
    ],
)
def test_layers(name: str, layer: str) -> None:
    assert layer_of(name) == layer


def test_places() -> None:
    assert places(["a.0.w", "a.0.b"], ["a.1.w"]) == ("a.0",)
    assert places(["a.mask"], ["a.0.w"]) == ("a.mask",)
    assert places(["a.0.w"], ["a.0.b"]) == ("a.0.w",)
