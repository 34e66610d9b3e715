import pytest
from facts import findings, model_files, settings, the_finding

from pipedoctor.fact import Unavailable
from pipedoctor.facts import Model, Parameter
from pipedoctor.usual_rates import DECODERS, DENOISERS, ENCODERS, T5, usual
from pipedoctor_checks.hyperparameters.learning_rate_too_high_for_full_fine_tuning import (
    _factors,
)
from pipedoctor_checks.hyperparameters.learning_rate_too_high_for_full_fine_tuning import (
    learning_rate_too_high_for_full_fine_tuning as check,
)

BERT = model_files("bert", 108_310_272)
MINILM = model_files("bert", 22_713_216)


@pytest.mark.parametrize(
    ("kind", "parameters", "rate"),
    [
        ("bert", 108_310_272, 1e-3),
        ("bert", 108_310_272, 5e-4),
        ("bert", 22_713_216, 2e-2),
        ("roberta", 355_359_744, 1e-3),
        ("distilbert", 66_362_880, 5e-4),
        ("gpt2", 124_439_808, 1e-2),
        ("llama", 6_738_415_616, 1e-3),
        ("t5", 222_903_552, 0.1),
        ("bart", 139_420_416, 1e-2),
    ],
)
def test_a_rate_from_training_from_scratch(kind: str, parameters: int, rate: float) -> None:
    found = the_finding(check, settings(learning_rate=rate), model_files(kind, parameters), None)

    assert found.evidence["usual_high"] * 10 <= rate * (1 + 1e-9)
    assert kind in found.message
    assert found.where.key == "learning_rate"


@pytest.mark.parametrize(
    ("kind", "parameters", "rate"),
    [
        ("bert", 108_310_272, 5e-5),
        ("bert", 108_310_272, 1e-4),
        ("bert", 108_310_272, 4.9e-4),  # bad, but not ten times the usual
        ("bert", 22_713_216, 2e-4),  # MiniLM learned well with it
        ("bert", 22_713_216, 5e-4),
        ("bert", 22_713_216, 1e-3),
        ("electra", 13_548_288, 3e-4),
        ("electra", 108_891_648, 1e-4),
        ("albert", 11_683_584, 5e-5),
        ("roberta", 355_359_744, 3e-5),
        ("gpt2", 124_439_808, 5e-4),
        ("llama", 134_515_008, 1e-3),  # the recipe of SmolLM2 135M
        ("llama", 1_711_376_384, 3e-4),  # of SmolLM2 1.7B
        ("llama", 6_738_415_616, 2e-5),
        ("t5", 60_506_624, 1e-3),
        ("t5", 222_903_552, 3e-4),
        ("mbart", 610_879_488, 3e-5),
    ],
)
def test_rates_that_people_train_with(kind: str, parameters: int, rate: float) -> None:
    assert findings(check, settings(learning_rate=rate), model_files(kind, parameters), None) == []


def test_the_default_is_never_too_high() -> None:
    for kind in ENCODERS | DECODERS | T5 | DENOISERS:
        for parameters in (11_000_000, 108_000_000, 7_000_000_000):
            assert findings(check, settings(), model_files(kind, parameters), None) == []


@pytest.mark.parametrize(
    "stated",
    [
        {"use_peft": True},
        {"lora_r": 16},
        {"use_lora": True, "lora_rank": 8},
        {"freeze_backbone": True},
        {"freeze_layers": 10},
        {"optim": "adafactor"},
        {"optim": "sgd"},
        {"optim": "lion_32bit"},
        {"optim": "galore_adamw"},
    ],
)
def test_what_it_has_no_figures_for_is_not_judged(stated: dict[str, object]) -> None:
    with pytest.raises(Unavailable):
        findings(check, settings(learning_rate=1e-2, **stated), BERT, None)


def test_adafactor_by_its_old_name_is_not_judged() -> None:
    with pytest.raises(Unavailable, match="adafactor"):
        findings(check, settings("4.57.6", learning_rate=1e-2, adafactor=True), BERT, None)


@pytest.mark.parametrize(
    "stated",
    [
        {"use_peft": False, "lora_r": 16},
        {"lora_r": 0},
        {"freeze_backbone": False},
        {"optim": "adamw_torch_fused"},
        {"optim": "paged_adamw_8bit"},
    ],
)
def test_what_is_switched_off_or_is_adamw_is_judged(stated: dict[str, object]) -> None:
    assert len(findings(check, settings(learning_rate=1e-2, **stated), BERT, None)) == 1


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [("bert", 9_999_999), ("bert", 4_416), ("wav2vec2", 94_000_000), ("None", 108_310_272)],
)
def test_a_toy_or_a_stranger_is_not_judged(kind: str, parameters: int) -> None:
    with pytest.raises(Unavailable, match="no usual learning rate"):
        findings(check, settings(learning_rate=0.5), model_files(kind, parameters), None)


@pytest.mark.parametrize(("trainable", "judged"), [(False, False), (True, True)])
def test_a_model_that_is_mostly_frozen_is_not_judged(trainable: bool, judged: bool) -> None:
    model = Model(
        "BertForSequenceClassification",
        {
            "bert": Parameter((1000, 1000), "float32", trainable=trainable),
            "classifier": Parameter((2, 768), "float32", trainable=True),
        },
    )
    if judged:
        assert len(findings(check, settings(learning_rate=1e-3), BERT, model)) == 1
    else:
        with pytest.raises(Unavailable, match="less than half"):
            findings(check, settings(learning_rate=1e-3), BERT, model)


def test_a_text_is_not_compared() -> None:
    with pytest.raises(Unavailable, match="not of type float"):
        findings(check, settings(learning_rate="1e-3"), BERT, None)


def test_the_option_moves_the_limit() -> None:
    made = settings(learning_rate=1e-4)

    assert len(findings(check, made, BERT, None, times=2.0)) == 1
    assert findings(check, made, BERT, None, times=3.0) == []


def test_the_remedy_is_itself_no_finding() -> None:
    for kind, parameters in (("bert", 108_000_000), ("bert", 22_000_000), ("gpt2", 124_000_000)):
        files = model_files(kind, parameters)
        first = usual(kind, parameters)
        assert first is not None
        assert first.low <= first.first <= first.high
        assert findings(check, settings(learning_rate=first.first), files, None, times=1.01) == []


def test_kinds_are_of_one_family_only() -> None:
    families = [ENCODERS, DECODERS, T5, DENOISERS]

    assert sum(map(len, families)) == len(frozenset().union(*families))


def test_the_size_of_minilm_decides_its_row() -> None:
    assert findings(check, settings(learning_rate=1e-3), MINILM, None) == []
    assert len(findings(check, settings(learning_rate=3e-3), MINILM, None)) == 1


def test_an_absurd_factor_is_told_in_words() -> None:
    assert _factors(10.0, 100.0) == "10 to 100"
    assert _factors(1_666_666_667.0, 16_666_666_667.0) == "more than 100,000"
