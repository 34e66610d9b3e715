import pytest
from facts import findings, settings, the_finding

from pipedoctor.fact import Unavailable
from pipedoctor.facts import Model, Parameter
from pipedoctor_checks.hyperparameters.lora_learning_rate_too_low import (
    lora_learning_rate_too_low as check,
)


@pytest.mark.parametrize(
    "asks",
    [
        {"use_peft": True, "lora_r": 16},
        {"use_lora": True},
        {"lora_rank": 8},
        {"finetuning_type": "lora"},
        {"adapter": "qlora"},
    ],
)
@pytest.mark.parametrize("rate", [1e-6, 2e-5, 4.9e-5])
def test_a_rate_for_full_fine_tuning(asks: dict[str, object], rate: float) -> None:
    found = the_finding(check, settings(**asks, learning_rate=rate))

    assert '"learning_rate": 0.0002' in found.remedy
    assert found.evidence["learning_rate"] == rate


def test_the_default_was_not_chosen_for_lora() -> None:
    found = the_finding(check, settings(use_peft=True))

    assert "the default" in found.message
    assert found.where.origin == "default of transformers 5.23.0"


@pytest.mark.parametrize(
    "stated",
    [
        {"use_peft": True, "learning_rate": 5e-5},
        {"use_peft": True, "learning_rate": 1e-4},
        {"lora_r": 16, "learning_rate": 2e-4},
        {"use_peft": False, "lora_r": 16, "learning_rate": 2e-5},
        {"finetuning_type": "full", "learning_rate": 1e-5},
        {"adapter": None, "lora_r": 16, "learning_rate": 1e-5},
        {"adapter": "prefix", "learning_rate": 1e-5},
        {"learning_rate": 1e-5},
        {},
    ],
)
def test_what_is_as_it_should_be_or_is_no_lora(stated: dict[str, object]) -> None:
    assert findings(check, settings(**stated)) == []


@pytest.mark.parametrize(
    "stated",
    [
        {"beta": 0.1},
        {"num_generations": 8},
        {"stage": "dpo"},
        {"optim": "lion_32bit"},
        {"optim": "adafactor"},
    ],
)
def test_where_lower_rates_are_usual_it_does_not_judge(stated: dict[str, object]) -> None:
    with pytest.raises(Unavailable):
        findings(check, settings(use_peft=True, learning_rate=5e-6, **stated))


@pytest.mark.parametrize("rate", [0.0, -1e-4])
def test_no_rate_at_all_is_another_fault(rate: float) -> None:
    assert findings(check, settings(use_peft=True, learning_rate=rate)) == []


def adapted(*trained: str) -> Model:
    shapes = {"layer.weight": (100, 100), "layer.lora_A.weight": (8, 100), "head.weight": (3, 100)}
    return Model(
        name="PeftModel",
        parameters={
            name: Parameter(shape, "float32", name in trained) for name, shape in shapes.items()
        },
    )


def test_a_lora_that_code_has_added() -> None:
    model = adapted("layer.lora_A.weight", "head.weight")
    found = the_finding(check, settings(learning_rate=1e-6), model)

    assert "1.1 k of 11.1 k elements are trained" in found.message


@pytest.mark.parametrize(
    "trained",
    [("layer.weight", "layer.lora_A.weight"), ("layer.weight", "head.weight"), ("head.weight",)],
)
def test_no_lora_is_all_that_is_trained(trained: tuple[str, ...]) -> None:
    assert findings(check, settings(learning_rate=2e-5), adapted(*trained)) == []


def test_a_rate_that_is_no_number_is_left_to_another_check() -> None:
    for rate in (float("nan"), float("inf"), 10**400):
        assert findings(check, settings(lora_r=8, learning_rate=rate), None) == []
