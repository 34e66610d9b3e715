"""Weights of several types: what mixed precision brings together is no fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from language_pipelines import dataset, found, lora, trainer

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("peft")

ROWS = [
    {"input_ids": [2, 7, 8 + n % 9], "attention_mask": [1] * 3, "labels": n % 2} for n in range(48)
]


def adapted(*, head: Any) -> Any:
    """Return a classifier in bfloat16 with an adapter, and a head of this type."""
    import peft

    config = transformers.LlamaConfig(
        vocab_size=50, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=2, intermediate_size=16, pad_token_id=0, num_labels=2,
    )  # fmt: skip
    model = transformers.LlamaForSequenceClassification(config).to(torch.bfloat16)
    model.score.to(head)
    words = {"task_type": "SEQ_CLS", "target_modules": ["q_proj"], "r": 4}
    return peft.get_peft_model(model, lora(**words))


@pytest.mark.parametrize(("head", "mixed"), [("bfloat16", False), ("float32", True)])
def test_what_can_be_trained_is_no_fault(tmp_path: Path, head: str, mixed: bool) -> None:
    model = adapted(head=getattr(torch, head))
    told = found(trainer(tmp_path, model, dataset(ROWS), None, bf16=mixed))
    assert not {"NUM010", "RUN001"} & told.keys()


def test_the_module_in_which_types_meet_is_named(tmp_path: Path) -> None:
    model = adapted(head=torch.float32)
    told = found(trainer(tmp_path, model, dataset(ROWS), None))

    assert "RUN001" not in told
    finding = told["NUM010"].finding
    assert finding.where.layer == "base_model.model.score.modules_to_save.default"
    assert finding.evidence["own"] == ["float32"]
    assert finding.remedy.startswith("bf16=True")
    (other,) = finding.alternatives
    assert ".to(torch.bfloat16)" in other
    model.get_submodule(finding.where.layer).to(torch.bfloat16)
    assert "NUM010" not in found(trainer(tmp_path, model, dataset(ROWS), None))
