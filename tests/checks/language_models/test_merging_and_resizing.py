"""Adapters that are merged into few bits, and those that hold a larger embedding than their base."""

from __future__ import annotations

from typing import Any

import pytest
from facts import outcome

from pipedoctor_checks.language_models.base_smaller_than_adapter import base_smaller_than_adapter
from pipedoctor_checks.language_models.merged_into_four_bits import merged_into_four_bits

HEAD = """
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

"""


def merged(text: str) -> list[str]:
    return [f.message for f in outcome(merged_into_four_bits, script=HEAD + text).findings]


def test_a_model_in_eight_bits_that_was_given_an_adapter() -> None:
    (message,) = merged(
        'base = AutoModelForCausalLM.from_pretrained("base", load_in_8bit=True)\n'
        "model = get_peft_model(base, LoraConfig())\n"
        "model = model.merge_and_unload()\n"
    )
    assert message == (
        "Line 7 merges the adapter into the model of line 5, which is loaded with load_in_8bit=True"
    )


@pytest.mark.parametrize(
    "text",
    [
        (
            'base = AutoModelForCausalLM.from_pretrained("base", load_in_4bit=False)\n'
            'PeftModel.from_pretrained(base, "a").merge_and_unload()\n'
        ),
        (
            'base = AutoModelForCausalLM.from_pretrained("base", load_in_4bit=True)\n'
            'model = PeftModel.from_pretrained(base, "a")\n'
            'base = AutoModelForCausalLM.from_pretrained("base")\n'
            'whole = PeftModel.from_pretrained(base, "a")\n'
            "whole.merge_and_unload()\n"
        ),
        (
            'base = AutoModelForCausalLM.from_pretrained("base", quantization_config=config)\n'
            'PeftModel.from_pretrained(base, "a").merge_and_unload()\n'
        ),
        "model.merge_and_unload()\n",
    ],
)
def test_what_is_not_known_to_be_quantised(text: str) -> None:
    assert not merged(text)


def resized(rows: int, name: str = "model.embed_tokens", width: int = 64) -> list[str]:
    tensors: dict[str, Any] = {
        "base_model.model.model.layers.0.q_proj.lora_A.weight": ("F32", (4, 64)),
        "base_model.model.model.layers.0.q_proj.lora_B.weight": ("F32", (64, 4)),
        f"base_model.model.{name}.weight": ("F32", (rows, width)),
    }
    base = {
        "model.layers.0.q_proj.weight": ("F32", (64, 64)),
        "model.embed_tokens.weight": ("F32", (100, 64)),
        "lm_head.weight": ("F32", (100, 64)),
    }
    saved = {
        "kind": "adapter",
        "config": {"peft_type": "LORA", "r": 4},
        "tensors": tensors,
        "base": {"config": {"model_type": "llama"}, "tensors": base},
    }
    found = outcome(base_smaller_than_adapter, files={"saved": saved}).findings
    return [f"{finding.message} | {finding.remedy}" for finding in found]


def test_a_base_that_has_to_be_resized() -> None:
    (text,) = resized(128)
    assert text.startswith("embed_tokens has 128 rows in the adapter and 100 in its base")
    assert "base.resize_token_embeddings(128)" in text
    assert resized(128, "lm_head")


def test_tables_that_fit_or_are_others() -> None:
    assert not resized(100)
    assert not resized(128, "model.other")
    assert not resized(2, "score")
