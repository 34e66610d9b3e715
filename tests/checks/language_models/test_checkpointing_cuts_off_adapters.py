"""Adapters that reentrant checkpointing cuts off: judged, and met for real."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import pytest

from pipedoctor import Severity
from pipedoctor.facts import Gradients
from pipedoctor.facts.gradients import Gradient
from pipedoctor_checks.gradients.frozen_by_accident import frozen_by_accident
from pipedoctor_checks.language_models.checkpointing_cuts_off_adapters import (
    checkpointing_cuts_off_adapters,
)

ADAPTERS = ("model.layers.0.lora_A", "model.layers.0.lora_B", "model.layers.1.lora_A")


def fact(cut: tuple[str, ...], *, connected: bool = True) -> Gradients:
    of = {name: Gradient(None if name in cut else 1.0, 32, name not in cut) for name in ADAPTERS}
    of["classifier.weight"] = Gradient(0.5 if connected else None, 4, connected)
    return Gradients("M", 0.7, of, connected, cut=cut, checkpointing=True)


def test_only_the_head_learns() -> None:
    (finding,) = checkpointing_cuts_off_adapters(fact(ADAPTERS), None)
    assert finding.severity in {None, Severity.ERROR}
    assert "3 of 4 trainable parameters (96 elements, 96.0%)" in finding.message
    assert "model.layers.0, model.layers.1; only the other 1 learn" in finding.message
    assert finding.remedy == "model.enable_input_require_grads() before the training starts"


def test_nothing_learns() -> None:
    (finding,) = checkpointing_cuts_off_adapters(fact(ADAPTERS, connected=False), None)
    assert "element 0 of tensors does not require grad" in finding.message


def test_nothing_is_cut_off() -> None:
    assert list(checkpointing_cuts_off_adapters(fact(()), None)) == []


# The real thing

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
peft = pytest.importorskip("peft")


def vision(folder: Path, **words: Any) -> Any:
    torch.manual_seed(0)
    config = transformers.ViTConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=8,
        patch_size=4,
    )
    adapter = peft.LoraConfig(target_modules="all-linear", modules_to_save=["classifier"])
    rows = [{"pixel_values": torch.randn(3, 8, 8), "labels": n % 2} for n in range(16)]
    return transformers.Trainer(
        model=peft.get_peft_model(transformers.ViTForImageClassification(config), adapter),
        args=transformers.TrainingArguments(
            output_dir=str(folder),
            report_to="none",
            use_cpu=True,
            max_steps=3,
            save_strategy="no",
            remove_unused_columns=False,
            learning_rate=0.1,
            **words,
        ),
        train_dataset=rows,
    )


def moved(trainer: Any) -> set[str]:
    """The parameters that three steps change."""
    before = {n: p.detach().clone() for n, p in trainer.model.named_parameters()}
    trainer.train()
    now = trainer.model.named_parameters()
    return {name for name, value in now if not torch.equal(before[name], value)}


@pytest.mark.parametrize("reentrant", [True, False])
def test_vision_with_adapters(tmp_path: Path, reentrant: bool) -> None:
    import pipedoctor

    trainer = vision(
        tmp_path,
        gradient_checkpointing=True,
        gradient_checkpointing_kwargs={"use_reentrant": reentrant},
    )
    report = pipedoctor.examine(trainer)
    found = {entry.rule.code: entry.finding for entry in report.entries}
    changed = moved(trainer)
    adapters = {name for name in changed if "lora" in name}
    assert any("classifier" in name for name in changed)
    assert bool(adapters) is not reentrant
    assert ("LLM013" in found) is reentrant
    assert "GRD003" not in found
    if reentrant:
        assert found["LLM013"].remedy.endswith('_checkpointing_kwargs={"use_reentrant": False}')


def language(folder: Path, cure: str) -> Any:
    config = transformers.LlamaConfig(
        vocab_size=100,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
    )
    adapter = peft.LoraConfig(target_modules="all-linear", task_type="CAUSAL_LM")
    model = peft.get_peft_model(transformers.LlamaForCausalLM(config), adapter)
    again = functools.partial(torch.utils.checkpoint.checkpoint, use_reentrant=True)
    model.base_model.model._set_gradient_checkpointing(
        enable=True, gradient_checkpointing_func=again
    )
    if cure:
        model.enable_input_require_grads()
    rows = [{"input_ids": [2, 5 + n, 3], "labels": [2, 5 + n, 3]} for n in range(8)]
    stated = transformers.TrainingArguments(
        output_dir=str(folder), report_to="none", use_cpu=True, max_steps=1, save_strategy="no"
    )
    return transformers.Trainer(model=model, args=stated, train_dataset=rows)


@pytest.mark.parametrize("cure", ["", "enable_input_require_grads"])
def test_a_language_model_with_adapters_only(tmp_path: Path, cure: str) -> None:
    import pipedoctor

    trainer = language(tmp_path, cure)
    report = pipedoctor.examine(trainer)
    codes = [entry.rule.code for entry in report.entries]
    if cure:
        assert "LLM013" not in codes
        trainer.train()
        return
    assert codes[0] == "LLM013"
    assert "LOS012" not in codes
    assert report.entries[0].finding.remedy.startswith("model.enable_input_require_grads()")
    with pytest.raises(RuntimeError) as raised:
        trainer.train()
    assert any(re.search(text, str(raised.value)) for text in frozen_by_accident.symptoms)
