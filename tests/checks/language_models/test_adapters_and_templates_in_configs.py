"""Adapters' targets and chat templates, told from a config and the headers of the model's files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from facts import outcome

from pipedoctor.report import Status
from pipedoctor_checks.language_models.adapter_misses_named_layers import (
    adapter_misses_named_layers,
)
from pipedoctor_checks.language_models.adapter_on_no_layer import adapter_on_no_layer
from pipedoctor_checks.language_models.chats_without_a_template import chats_without_a_template
from pipedoctor_checks.language_models.template_without_marks import template_without_marks

LLAMA = {
    f"model.layers.{n}.{part}.weight": ("F32", (32, 32))
    for n in range(2)
    for part in ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "mlp.up_proj")
} | {"model.embed_tokens.weight": ("F32", (400, 32)), "lm_head.weight": ("F32", (400, 32))}

PLAIN = "{% for m in messages %}{{ m.content }}{% endfor %}"
MARKED = "{% for m in messages %}{%- generation -%}{{ m.content }}{% endgeneration %}{% endfor %}"


def judged(check: Any, stated: dict[str, Any], template: Any = None) -> Any:
    held = {} if template is None else {"chat_template": template}
    files = {"model": {"config": {}, "tensors": LLAMA, "tokenizer_config": held}}
    return outcome(check, settings=stated, files=files)


@pytest.mark.parametrize("key", ["lora_target_modules", "lora_target"])
def test_no_target_matches(key: str) -> None:
    told = judged(adapter_on_no_layer, {key: ["c_attn"]})
    (finding,) = told.findings
    assert "c_attn: 0 layers of" in finding.message
    assert "q_proj (2), k_proj (2), v_proj (2), up_proj (2)" in finding.message
    assert finding.where.key == key
    assert finding.remedy == 'state ["q_proj", "v_proj"] instead'


def test_a_name_that_is_misspelt_is_corrected() -> None:
    (finding,) = judged(adapter_on_no_layer, {"lora_target_modules": ["up_projj"]}).findings
    assert finding.remedy == 'state ["up_proj"] instead'


@pytest.mark.parametrize("stated", [["q_proj", "v_proj"], ["self_attn.q_proj"], "q_proj,v_proj"])
def test_targets_that_match(stated: Any) -> None:
    for check in (adapter_on_no_layer, adapter_misses_named_layers):
        assert judged(check, {"lora_target_modules": stated}).status is Status.PASSED


@pytest.mark.parametrize("stated", ["all-linear", ["all"], r".*\.(q|v)_proj", None])
def test_patterns_and_words_are_not_judged(stated: Any) -> None:
    told = judged(adapter_on_no_layer, {"lora_target_modules": stated})
    assert told.status is Status.SKIPPED


def test_some_targets_match() -> None:
    told = judged(adapter_misses_named_layers, {"lora_target_modules": ["q_proj", "gate_proj"]})
    (finding,) = told.findings
    assert finding.severity is None  # the attention has its adapter
    assert "gate_proj; the adapter is on q_proj (2 layers) only" in finding.message


ONLY = {"assistant_only_loss": True}


@pytest.mark.parametrize(
    ("stated", "template", "found"),
    [
        (ONLY, PLAIN, True),
        (ONLY, MARKED, False),
        ({}, PLAIN, False),
        (ONLY, [{"name": "default", "template": PLAIN}], True),
        (ONLY, [{"name": "default", "template": MARKED}], False),
        (ONLY, None, False),  # that is another fault
    ],
)
def test_marks(stated: dict[str, Any], template: Any, found: bool) -> None:
    assert bool(judged(template_without_marks, stated, template).findings) is found


def test_no_template() -> None:
    assert judged(chats_without_a_template, ONLY).findings
    assert not judged(chats_without_a_template, ONLY, PLAIN).findings
    assert not judged(chats_without_a_template, {}).findings


def test_templates_that_trl_replaces_are_no_fault() -> None:
    trl = pytest.importorskip("trl")
    folder = Path(trl.__file__).parent / "chat_templates"
    known = (folder / "qwen3.jinja").read_text(encoding="utf-8")
    assert not judged(template_without_marks, ONLY, known).findings
    assert judged(template_without_marks, ONLY, known + " ").findings


def test_a_template_in_a_file_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.jinja"
    file.write_text(MARKED, encoding="utf-8")
    stated = {**ONLY, "chat_template_path": str(file)}
    assert not judged(template_without_marks, stated, PLAIN).findings
    file.write_text(PLAIN, encoding="utf-8")
    (finding,) = judged(template_without_marks, stated, MARKED).findings
    assert str(file) in finding.message
