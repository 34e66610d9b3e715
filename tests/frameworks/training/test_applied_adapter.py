"""Which random weights an adapter leaves frozen."""

from __future__ import annotations

from typing import Any

import pytest
from pipelines import pipeline

from pipedoctor import Severity
from pipedoctor.fact import Unavailable
from pipedoctor.facts import AppliedAdapter
from pipedoctor_checks.language_models.new_head_frozen_by_adapter import (
    new_head_frozen_by_adapter,
)

peft = pytest.importorskip("peft")
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

SIZES = {"vocab_size": 64, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}


def bert(kind: str = "BertForSequenceClassification") -> Any:
    config = transformers.BertConfig(**SIZES, intermediate_size=32, num_labels=3)
    return trained(getattr(transformers, kind)(config))


def trained(model: Any) -> Any:
    """Leave the head of a model as it was drawn, and the rest as no initialisation makes it."""
    for parameter in model.base_model.parameters():
        parameter.data.mul_(3)
    return model


def fact(model: Any) -> AppliedAdapter:
    return pipeline(model=model).fact(AppliedAdapter)


def adapted(model: Any, **stated: Any) -> AppliedAdapter:
    stated.setdefault("target_modules", ["query", "value"])
    return fact(peft.get_peft_model(model, peft.LoraConfig(**stated)))


def test_a_head_without_a_task() -> None:
    told = adapted(bert())
    assert (told.kind, told.task, told.saved) == ("LORA", None, ())
    assert dict(told.untrained) == {"classifier": 96}
    (finding,) = new_head_frozen_by_adapter(told)
    assert finding.message.startswith(
        "The head, classifier (96 elements of BertForSequenceClassif"
    )
    assert finding.message.endswith("The LoRA has no task_type and no modules_to_save")
    assert finding.remedy == 'LoraConfig(…, task_type="SEQ_CLS")'


@pytest.mark.parametrize(
    ("kind", "task"),
    [("BertForTokenClassification", "TOKEN_CLS"), ("BertForQuestionAnswering", "QUESTION_ANS")],
)
def test_other_heads(kind: str, task: str) -> None:
    (finding,) = new_head_frozen_by_adapter(adapted(bert(kind)))
    assert finding.remedy == f'LoraConfig(…, task_type="{task}")'
    assert list(new_head_frozen_by_adapter(adapted(bert(kind), task_type=task))) == []


@pytest.mark.parametrize(
    "stated",
    [
        {"task_type": "SEQ_CLS"},
        {"modules_to_save": ["classifier"]},
        {"target_modules": ["query", "classifier"]},
        {"target_modules": "all-linear"},
    ],
)
def test_a_head_that_is_trained(stated: dict[str, Any]) -> None:
    assert list(new_head_frozen_by_adapter(adapted(bert(), **stated))) == []


def test_a_head_that_is_set_free_by_hand() -> None:
    model = peft.get_peft_model(bert(), peft.LoraConfig(target_modules=["query"]))
    for parameter in model.base_model.model.classifier.parameters():
        parameter.requires_grad = True
    assert dict(fact(model).untrained) == {}


@pytest.mark.parametrize("seed", range(5))
def test_a_head_that_was_trained_before(seed: int) -> None:
    torch.manual_seed(seed)
    model = bert()
    model.classifier.weight.data.add_(
        0.1
    )  # as large as a uniform distribution has it, all above 0
    assert dict(adapted(model).untrained) == {}


def test_another_layer_that_is_new() -> None:
    model = bert()
    model.bert.pooler.dense.weight.data.normal_(0, model.config.initializer_range)
    (finding,) = new_head_frozen_by_adapter(adapted(model, task_type="SEQ_CLS"))
    assert finding.severity is Severity.NOTE
    assert finding.message.startswith("Beside the head, bert.pooler.dense (1,024 elements")
    assert 'modules_to_save=["classifier", "score", "pooler.dense"]' in finding.remedy


def test_a_language_model() -> None:
    config = transformers.GPT2Config(
        vocab_size=64, n_embd=32, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0
    )
    for task in ({"task_type": "CAUSAL_LM"}, {}):
        model = trained(transformers.GPT2LMHeadModel(config))
        told = adapted(model, target_modules=["c_attn"], **task)
        assert (told.last, list(new_head_frozen_by_adapter(told))) == ("", [])


def test_a_model_that_is_new_as_a_whole() -> None:
    config = transformers.BertConfig(**SIZES, intermediate_size=32)
    told = adapted(transformers.BertForSequenceClassification(config))
    assert 2 * sum(told.untrained.values()) > told.elements
    assert list(new_head_frozen_by_adapter(told)) == []


def test_a_model_without_an_adapter() -> None:
    with pytest.raises(Unavailable, match="no adapter"):
        fact(bert())
