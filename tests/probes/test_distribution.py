from __future__ import annotations

from typing import Any

import pytest
from pipelines import pipeline

from pipedoctor.fact import Unavailable
from pipedoctor.facts import Distribution


def distribution(**parts: Any) -> Distribution:
    return pipeline(**parts).fact(Distribution)


def test_one_process_is_not_known_to_be_one_of_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with pytest.raises(Unavailable, match="WORLD_SIZE is not set"):
        distribution(settings={})


def test_what_torchrun_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert distribution(settings={}).processes == 4
    assert distribution(settings={}, environment={"processes": 2}).processes == 2


@pytest.mark.parametrize(
    ("stated", "finds"),
    [
        ({}, True),
        ({"ddp_find_unused_parameters": False}, False),
        ({"ddp_find_unused_parameters": True, "gradient_checkpointing": True}, True),
    ],
)
def test_whether_unused_ones_are_looked_for(stated: dict[str, Any], finds: bool) -> None:
    fact = distribution(settings=stated, environment={"processes": 2})
    assert fact.finds_unused is finds
    assert fact.wrapped


def test_with_checkpointing_it_hangs_on_the_model() -> None:
    fact = distribution(settings={"gradient_checkpointing": True}, environment={"processes": 2})
    with pytest.raises(Unavailable, match="kind of model"):
        _ = fact.finds_unused


@pytest.mark.parametrize("name", ["deepspeed", "fsdp"])
def test_those_that_share_the_model_out(name: str) -> None:
    fact = distribution(settings={name: "something"}, environment={"processes": 2})
    assert not fact.wrapped


@pytest.mark.parametrize("checkpointing", [False, True])
def test_what_trainer_makes_of_it(tmp_path: Any, *, checkpointing: bool) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    config = transformers.BertConfig(
        vocab_size=9,
        hidden_size=4,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=4,
    )
    model = transformers.BertForSequenceClassification(config)
    for part, finds in ((model, not checkpointing), (torch.nn.Linear(2, 2), True)):
        stated = transformers.TrainingArguments(
            output_dir=str(tmp_path),
            report_to="none",
            use_cpu=True,
            max_steps=1,
            gradient_checkpointing=checkpointing,
        )
        trainer = transformers.Trainer(model=part, args=stated)
        fact = distribution(
            trainer=trainer, model=part, settings=stated, environment={"processes": 2}
        )
        assert fact.finds_unused is finds
        assert fact.wrapped
